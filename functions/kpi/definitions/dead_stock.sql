/*
title: Dead stock
description: >
  Share of the stock's value that has not moved for {days} days: SKUs in stock at a location that neither sold nor
  shipped them for {days} days, and whose newest receipt that was not reversed is at least {days} days old. A SKU
  without a known receipt is not called dead.
meaning: "{value} of stock value has not moved for half a year."
french:
  title: "Stock mort"
  description: >
    Part de la valeur du stock qui n'a pas bougé depuis {days} jours : références en stock dans un emplacement qui
    ne les a ni vendues ni expédiées depuis {days} jours, et dont la dernière réception non annulée a au moins
    {days} jours. Une référence sans réception connue n'est pas dite morte.
  meaning: "{value} de la valeur du stock n'a pas bougé depuis six mois."
formula: value of stock with units > 0, no sale, issue or transfer out for {days} days, last receipt >= {days} days ago / value of all stock
source: retail practice
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 180
input_lookback_days: {inventory_kpi.stock_daily: 0, inventory_kpi.inventory_ageing: 0}
direction: down
rollup: ratio
thresholds: {high: 0.1, days: 180}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-30, sku: A, location_code: P1, is_stocked: true, on_hand: 5, stock_value: 50}
        - {business_date: 2026-09-30, sku: B, location_code: P1, is_stocked: true, on_hand: 5, stock_value: 30}
        - {business_date: 2026-09-30, sku: C, location_code: DC, is_stocked: true, on_hand: 5, stock_value: 20}
        - {business_date: 2026-09-30, sku: D, location_code: P1, is_stocked: true, on_hand: 5, stock_value: 40}
        - {business_date: 2026-09-30, sku: E, location_code: P1, is_stocked: true, on_hand: -5, stock_value: -40}
        - {business_date: 2026-09-30, sku: F, location_code: P1, is_stocked: true, on_hand: 5, stock_value: 60}
        - {business_date: 2026-09-30, sku: G, location_code: P1, is_stocked: true, on_hand: 5, stock_value: 70}
      inventory_curated.sales:
        - {receipt_number: "1", line_number: 1, business_date: 2026-09-01, sku: B, location_code: P1, quantity: 1}
      inventory_curated.stock_movements:
        - {document: "2", line_number: 1, business_date: 2026-09-17, movement_type: transfer_out, sku: C, location_code: DC, quantity: -5}
      inventory_kpi.inventory_ageing:
        - {business_date: 2026-09-30, sku: A, first_received_on: 2026-01-10, last_received_on: 2026-01-10}
        - {business_date: 2026-09-30, sku: B, first_received_on: 2026-01-10, last_received_on: 2026-01-10}
        - {business_date: 2026-09-30, sku: C, first_received_on: 2026-01-10, last_received_on: 2026-01-10}
        - {business_date: 2026-09-30, sku: D, first_received_on: 2026-09-01}
        - {business_date: 2026-09-30, sku: E, first_received_on: 2026-01-10, last_received_on: 2026-01-10}
        - {business_date: 2026-09-30, sku: F}
        - {business_date: 2026-09-30, sku: G, first_received_on: 2026-01-10, last_received_on: 2026-04-04}
    expect:
      - {business_date: 2026-09-30, sku: A, numerator: 50, denominator: 50, value: 1, is_dead: true}
      - {business_date: 2026-09-30, sku: B, numerator: 0, denominator: 30, value: 0, is_dead: false}
      - {business_date: 2026-09-30, sku: C, location_code: DC, numerator: 0, value: 0, is_dead: false}
      - {business_date: 2026-09-30, sku: D, numerator: 40, value: 1, is_dead: true}
      - {business_date: 2026-09-30, sku: E, numerator: null, denominator: null, value: null, reason_code: no_stock, is_dead: false}
      - {business_date: 2026-09-30, sku: F, numerator: 0, value: 0, is_dead: false}
      - {business_date: 2026-09-30, sku: G, numerator: 0, value: 0, is_dead: false}
*/
WITH moved AS (
  SELECT sku, location_code, business_date AS moved_on, LEAD(business_date) OVER by_shelf AS next_moved_on
  FROM (
    SELECT sku, location_code, business_date FROM inventory_curated.sales WHERE quantity > 0
    UNION DISTINCT
    SELECT sku, location_code, business_date
    FROM inventory_curated.stock_movements
    WHERE movement_type IN ('issue', 'transfer_out') AND quantity < 0
  ) AS outgoing
  WINDOW by_shelf AS (PARTITION BY sku, location_code ORDER BY business_date)
),
judged AS (
  SELECT
    stock.business_date,
    stock.sku,
    stock.location_code,
    stock.category,
    stock.on_hand,
    stock.stock_value,
    stock.on_hand > 0
      AND COALESCE(DATE_DIFF(stock.business_date, moved.moved_on, DAY) >= /* thresholds.days */ 180, TRUE)
      -- a receipt is known, and none that was not reversed is fresh
      AND age.first_received_on IS NOT NULL
      AND COALESCE(DATE_DIFF(stock.business_date, age.last_received_on, DAY) >= /* thresholds.days */ 180, TRUE)
      AS is_dead
  FROM inventory_kpi.stock_daily AS stock
  LEFT JOIN moved
    ON moved.sku = stock.sku
    AND moved.location_code = stock.location_code
    AND stock.business_date >= moved.moved_on
    AND stock.business_date < COALESCE(moved.next_moved_on, DATE '9999-12-31')
  LEFT JOIN inventory_kpi.inventory_ageing AS age
    ON age.business_date = stock.business_date
    AND age.sku = stock.sku
  WHERE stock.is_stocked
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(stock_value > 0, IF(is_dead, stock_value, 0.0), NULL) AS numerator,
  IF(stock_value > 0, stock_value, NULL) AS denominator,
  IF(stock_value > 0, IF(is_dead, 1.0, 0.0), NULL) AS value,
  CASE
    WHEN on_hand IS NULL THEN 'stale'
    WHEN stock_value IS NULL THEN 'no_cost'
    WHEN stock_value <= 0 THEN 'no_stock'
  END AS reason_code,
  IF(stock_value IS NULL, 0.0, 100.0) AS coverage_pct,
  is_dead
FROM judged
