/*
kind: base
title: Stock by day
description: >
  The balance by day with what it is worth and what was sold. Unit cost is the balance's own, else the product's.
  Sales of a day are 0 when none were recorded, and NULL nowhere.
formula: stock value = units x unit cost; cost of goods sold = units sold x unit cost
grain: [sku, location_code]
owner: inventory-data
lookback_days: 0
examples:
  - given:
      inventory_kpi.balance_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10, available: 9, days_since_balance: 0, is_stale: false}
        - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: 7, balance_cost: 3, is_stale: false}
        - {business_date: 2026-09-02, sku: B, location_code: P1, on_hand: 7, is_stale: false}
      inventory_curated.products:
        - {sku: A, category: tools, supplier_code: S1, unit_cost: 2, unit_price: 5}
      inventory_curated.sales:
        - {receipt_number: "1", line_number: 1, business_date: 2026-09-02, sku: A, location_code: P1, quantity: 3, net_amount: 12}
        - {receipt_number: "2", line_number: 1, business_date: 2026-09-02, sku: A, location_code: P1, quantity: -1, net_amount: -4}
        - {receipt_number: "3", line_number: 1, business_date: 2026-09-02, sku: B, location_code: P1, quantity: 1, net_amount: 1}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, category: tools, on_hand: 10, available: 9, units_sold: 0, net_sales: 0, cogs: 0, stock_value: 20}
      - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: 7, units_sold: 2, net_sales: 8, unit_cost: 3, cogs: 6, stock_value: 21}
      - {business_date: 2026-09-02, sku: B, location_code: P1, on_hand: 7, units_sold: 1, unit_cost: null, cogs: null, stock_value: null}
*/
WITH sold AS (
  SELECT
    business_date,
    sku,
    location_code,
    SUM(CAST(quantity AS FLOAT64)) AS units_sold,
    SUM(CAST(net_amount AS FLOAT64)) AS net_sales
  FROM inventory_curated.sales
  GROUP BY business_date, sku, location_code
),
priced AS (
  SELECT
    balance.*,
    COALESCE(balance.balance_cost, CAST(product.unit_cost AS FLOAT64)) AS unit_cost,
    CAST(product.unit_price AS FLOAT64) AS unit_price,
    product.category,
    product.supplier_code
  FROM inventory_kpi.balance_daily AS balance
  LEFT JOIN inventory_curated.products AS product ON product.sku = balance.sku
)
SELECT
  priced.business_date,
  priced.sku,
  priced.location_code,
  priced.category,
  priced.supplier_code,
  priced.days_since_balance,
  priced.is_stale,
  priced.on_hand,
  priced.available,
  priced.unit_cost,
  priced.unit_price,
  priced.on_hand * priced.unit_cost AS stock_value,
  COALESCE(sold.units_sold, 0) AS units_sold,
  COALESCE(sold.net_sales, 0) AS net_sales,
  COALESCE(sold.units_sold, 0) * priced.unit_cost AS cogs
FROM priced
LEFT JOIN sold
  ON sold.business_date = priced.business_date
  AND sold.sku = priced.sku
  AND sold.location_code = priced.location_code
