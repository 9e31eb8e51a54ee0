/*
title: Inventory position
description: >
  Stock on hand plus what is still due from orders of the last 270 days; backorders are negative stock. An order line is
  open until it is received; after that, only what is still missing is. Cancelled lines, and the cancelled part of a
  line, are left out. A quantity received without a date has arrived.
meaning: "{value} units are in stock or on order."
french:
  title: "Position de stock"
  description: >
    Stock physique plus ce qui est encore dû des commandes des 270 derniers jours ; les commandes clients en attente
    sont du stock négatif. Une ligne de commande est ouverte jusqu'à sa réception ; ensuite, seul ce qui manque
    encore l'est. Les lignes annulées, et la part annulée d'une ligne, sont exclues. Une quantité reçue sans date
    est arrivée.
  meaning: "{value} unités sont en stock ou en commande."
formula: units on hand + ordered - cancelled - received, of the lines ordered by the day
source: inventory theory texts
unit: units
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 270
horizon: stock
direction: none
rollup: sum
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_stocked: true, on_hand: 5}
        - {business_date: 2026-09-09, sku: A, location_code: P1, is_stocked: true, on_hand: -2}
        - {business_date: 2026-09-02, sku: B, location_code: P1, is_stocked: true}
        - {business_date: 2026-09-02, sku: C, location_code: P1, is_stocked: true, on_hand: 5}
        - {business_date: 2026-09-02, sku: A, location_code: WEB, is_stocked: false}
      inventory_curated.purchase_orders:
        - {order_number: "1", line_number: 1, business_date: 2026-09-01, sku: A, location_code: P1, ordered_quantity: 10, cancelled_quantity: 1, received_quantity: 6, received_date: 2026-09-05, status: partial}
        - {order_number: "1", line_number: 2, business_date: 2026-09-01, sku: A, location_code: P1, ordered_quantity: 99, status: cancelled}
        - {order_number: "1", line_number: 3, business_date: 2026-09-03, sku: A, location_code: P1, ordered_quantity: 4}
        - {order_number: "1", line_number: 4, business_date: 2026-09-01, sku: A, location_code: P1, ordered_quantity: 7, received_quantity: 8}
        - {order_number: "1", line_number: 5, business_date: 2025-09-01, sku: C, location_code: P1, ordered_quantity: 7}
    expect:
      - {business_date: 2026-09-02, sku: A, value: 14, on_order: 9, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-09, sku: A, value: 5, on_order: 7}
      - {business_date: 2026-09-02, sku: B, numerator: null, value: null, reason_code: stale, coverage_pct: 0}
      - {business_date: 2026-09-02, sku: C, value: 5, on_order: 0}
*/
WITH orders AS (
  SELECT
    sku,
    location_code,
    business_date,
    received_date,
    CAST(GREATEST(ordered_quantity - COALESCE(cancelled_quantity, 0), 0) AS FLOAT64) AS due,
    CAST(COALESCE(received_quantity, 0) AS FLOAT64) AS received
  FROM inventory_curated.purchase_orders
  WHERE COALESCE(status, 'open') != 'cancelled'
),
expected AS (
  SELECT
    stock.business_date,
    stock.sku,
    stock.location_code,
    SUM(IF(orders.received_date > stock.business_date, orders.due, GREATEST(orders.due - orders.received, 0))) AS units
  FROM inventory_kpi.stock_daily AS stock
  JOIN orders
    ON orders.sku = stock.sku
    AND orders.location_code = stock.location_code
    AND orders.business_date BETWEEN DATE_SUB(stock.business_date, INTERVAL 270 DAY) AND stock.business_date
  WHERE stock.is_stocked
  GROUP BY stock.business_date, stock.sku, stock.location_code
)
SELECT
  stock.business_date,
  stock.sku,
  stock.location_code,
  stock.category,
  stock.on_hand + COALESCE(expected.units, 0) AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  stock.on_hand + COALESCE(expected.units, 0) AS value,
  IF(stock.on_hand IS NULL, 'stale', NULL) AS reason_code,
  IF(stock.on_hand IS NULL, 0.0, 100.0) AS coverage_pct,
  COALESCE(expected.units, 0) AS on_order
FROM inventory_kpi.stock_daily AS stock
LEFT JOIN expected
  ON expected.business_date = stock.business_date
  AND expected.sku = stock.sku
  AND expected.location_code = stock.location_code
WHERE stock.is_stocked
