/*
kind: base
title: Stock by day
description: >
  One row for each SKU and location that stocks it, for each day from its first balance to its delisting. A
  balance is carried forward for at most 7 days and is stale after that; a missing day is not zero. Goods in
  transit and virtual locations are left out. Unit cost is the balance's own, else the product's.
formula: last known balance of at most 7 days; sales of the day; cost of goods sold = units sold x unit cost
grain: [sku, location_code]
owner: inventory-data
lookback_days: 400
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-01}
        - {business_date: 2026-09-02}
        - {business_date: 2026-09-03}
      inventory_curated.products:
        - {sku: A, category: tools, unit_cost: 2, unit_price: 5}
      inventory_curated.locations:
        - {location_code: P1, type: store}
      inventory_curated.stock_snapshots:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10}
        - {business_date: 2026-09-03, sku: A, location_code: P1, on_hand: 4}
      inventory_curated.sales:
        - {receipt_number: "1", line_number: 1, business_date: 2026-09-02, sku: A, location_code: P1, quantity: 3, net_amount: 12}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10, units_sold: 0, is_stale: false, stock_value: 20}
      - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: 10, units_sold: 3, net_sales: 12, cogs: 6, days_since_balance: 1}
      - {business_date: 2026-09-03, sku: A, location_code: P1, on_hand: 4, units_sold: 0}
*/
WITH listed AS (
  SELECT
    balance.sku,
    balance.location_code,
    MIN(balance.business_date) AS listed_on,
    MAX(product.delisted_on) AS delisted_on
  FROM inventory_curated.stock_snapshots AS balance
  LEFT JOIN inventory_curated.products AS product ON product.sku = balance.sku
  LEFT JOIN inventory_curated.locations AS location ON location.location_code = balance.location_code
  WHERE COALESCE(location.type, 'store') NOT IN ('transit', 'virtual')
  GROUP BY balance.sku, balance.location_code
),
spine AS (
  SELECT calendar.business_date, listed.sku, listed.location_code
  FROM listed
  JOIN inventory_kpi.calendar AS calendar
    ON calendar.business_date >= listed.listed_on
    AND (listed.delisted_on IS NULL OR calendar.business_date < listed.delisted_on)
),
sold AS (
  SELECT
    business_date,
    sku,
    location_code,
    SUM(CAST(quantity AS FLOAT64)) AS units_sold,
    SUM(CAST(net_amount AS FLOAT64)) AS net_sales
  FROM inventory_curated.sales
  GROUP BY business_date, sku, location_code
),
carried AS (
  SELECT
    spine.business_date,
    spine.sku,
    spine.location_code,
    LAST_VALUE(balance.business_date IGNORE NULLS) OVER latest AS balance_date,
    LAST_VALUE(CAST(balance.on_hand AS FLOAT64) IGNORE NULLS) OVER latest AS on_hand,
    LAST_VALUE(CAST(COALESCE(balance.available, balance.on_hand) AS FLOAT64) IGNORE NULLS) OVER latest AS available,
    LAST_VALUE(CAST(balance.unit_cost AS FLOAT64) IGNORE NULLS) OVER latest AS balance_cost
  FROM spine
  LEFT JOIN inventory_curated.stock_snapshots AS balance
    ON balance.business_date = spine.business_date
    AND balance.sku = spine.sku
    AND balance.location_code = spine.location_code
  WINDOW latest AS (
    PARTITION BY spine.sku, spine.location_code ORDER BY spine.business_date
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),
priced AS (
  SELECT
    carried.*,
    DATE_DIFF(carried.business_date, carried.balance_date, DAY) AS days_since_balance,
    COALESCE(carried.balance_cost, CAST(product.unit_cost AS FLOAT64)) AS unit_cost,
    CAST(product.unit_price AS FLOAT64) AS unit_price,
    product.category,
    product.supplier_code
  FROM carried
  LEFT JOIN inventory_curated.products AS product ON product.sku = carried.sku
)
SELECT
  priced.business_date,
  priced.sku,
  priced.location_code,
  priced.category,
  priced.supplier_code,
  priced.days_since_balance,
  priced.days_since_balance > 7 AS is_stale,
  IF(priced.days_since_balance > 7, NULL, priced.on_hand) AS on_hand,
  IF(priced.days_since_balance > 7, NULL, priced.available) AS available,
  priced.unit_cost,
  priced.unit_price,
  IF(priced.days_since_balance > 7, NULL, priced.on_hand * priced.unit_cost) AS stock_value,
  COALESCE(sold.units_sold, 0) AS units_sold,
  COALESCE(sold.net_sales, 0) AS net_sales,
  COALESCE(sold.units_sold, 0) * priced.unit_cost AS cogs
FROM priced
LEFT JOIN sold
  ON sold.business_date = priced.business_date
  AND sold.sku = priced.sku
  AND sold.location_code = priced.location_code
