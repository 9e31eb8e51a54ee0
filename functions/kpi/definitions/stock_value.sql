/*
title: Stock value
description: Stock on hand at cost on that day, in the base currency. A unit without a known cost has no value, and lowers the coverage.
meaning: "Stock is worth {value} at cost."
french:
  title: "Valeur du stock"
  description: >
    Stock physique au coût de ce jour, dans la devise de base. Une unité sans coût connu n'a pas de valeur et baisse
    la couverture.
  meaning: "Le stock vaut {value} au coût."
formula: sum of units on hand x unit cost
source: SAP and Odoo practice
unit: EUR
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: none
rollup: sum
quantity: stock_on_hand
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, stock_value: 20, is_stale: false}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, on_hand: 5, is_stale: false}
        - {business_date: 2026-09-01, sku: C, location_code: WEB, is_stocked: false, unit_cost: 2, units_sold: 4}
    expect:
      - {business_date: 2026-09-01, sku: A, value: 20, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-01, sku: B, value: null, reason_code: no_cost, coverage_pct: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  stock_value AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  stock_value AS value,
  CASE WHEN on_hand IS NULL THEN 'stale' WHEN unit_cost IS NULL THEN 'no_cost' END AS reason_code,
  IF(stock_value IS NULL, 0.0, 100.0) AS coverage_pct
FROM inventory_kpi.stock_daily
WHERE is_stocked
