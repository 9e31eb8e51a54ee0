/*
title: Dead stock
description: >
  Share of the stock's value in SKUs that lie there, were not sold for 180 days and whose newest receipt is at
  least 180 days old. A SKU without a known receipt is not called dead.
meaning: So much of the stock's value has not moved for half a year.
formula: value of stock with units > 0, no sale for 180 days, last receipt >= 180 days ago / value of all stock
source: retail practice
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 3650
direction: down
rollup: ratio
thresholds: {high: 0.1, days: 180}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-30, sku: A, location_code: P1, on_hand: 5, stock_value: 50}
        - {business_date: 2026-09-30, sku: B, location_code: P1, on_hand: 5, stock_value: 30}
      inventory_curated.sales:
        - {receipt_number: "1", line_number: 1, business_date: 2026-09-01, sku: B, location_code: P1, quantity: 1}
      inventory_curated.stock_movements:
        - {document: "1", line_number: 1, business_date: 2026-01-10, movement_type: receipt, sku: A, quantity: 10}
        - {document: "1", line_number: 2, business_date: 2026-01-10, movement_type: receipt, sku: B, quantity: 10}
    expect:
      - {business_date: 2026-09-30, sku: A, numerator: 50, denominator: 50, value: 1, is_dead: true}
      - {business_date: 2026-09-30, sku: B, numerator: 0, denominator: 30, value: 0, is_dead: false}
*/
WITH sold AS (
  SELECT sku, location_code, business_date AS sold_on, LEAD(business_date) OVER next_ones AS next_sold_on
  FROM (SELECT DISTINCT sku, location_code, business_date FROM inventory_curated.sales WHERE quantity > 0)
  WINDOW next_ones AS (PARTITION BY sku, location_code ORDER BY business_date)
),
received AS (
  SELECT sku, business_date AS received_on, LEAD(business_date) OVER next_ones AS next_received_on
  FROM (SELECT DISTINCT sku, business_date FROM inventory_curated.stock_movements WHERE movement_type = 'receipt')
  WINDOW next_ones AS (PARTITION BY sku ORDER BY business_date)
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
      AND COALESCE(DATE_DIFF(stock.business_date, sold.sold_on, DAY) >= 180, TRUE)
      AND COALESCE(DATE_DIFF(stock.business_date, received.received_on, DAY) >= 180, FALSE) AS is_dead
  FROM inventory_kpi.stock_daily AS stock
  LEFT JOIN sold
    ON sold.sku = stock.sku
    AND sold.location_code = stock.location_code
    AND stock.business_date >= sold.sold_on
    AND stock.business_date < COALESCE(sold.next_sold_on, DATE '9999-12-31')
  LEFT JOIN received
    ON received.sku = stock.sku
    AND stock.business_date >= received.received_on
    AND stock.business_date < COALESCE(received.next_received_on, DATE '9999-12-31')
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(stock_value IS NULL, NULL, IF(is_dead, GREATEST(stock_value, 0), 0.0)) AS numerator,
  GREATEST(stock_value, 0) AS denominator,
  IF(stock_value > 0, IF(is_dead, 1.0, 0.0), NULL) AS value,
  CASE
    WHEN on_hand IS NULL THEN 'stale'
    WHEN stock_value IS NULL THEN 'no_cost'
    WHEN stock_value <= 0 THEN 'no_stock'
  END AS reason_code,
  IF(stock_value IS NULL, 0.0, 100.0) AS coverage_pct,
  is_dead
FROM judged
