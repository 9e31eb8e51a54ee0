/*
title: Turns on revenue
description: >
  Annual net sales for each euro of average stock at cost, at the rate of the last 28 days. It is always higher than the
  turnover at cost, by the margin: the two are never mixed. Sales without a net amount are left out.
meaning: "Annual net sales per euro of average stock are {value} euros."
french:
  title: "Rotation sur chiffre d'affaires"
  description: >
    Ventes nettes annuelles pour chaque euro de stock moyen au coût, au rythme des 28 derniers jours. Le chiffre
    dépasse toujours la rotation au coût, de la marge : les deux ne se mélangent jamais. Les ventes sans montant net
    sont exclues.
  meaning: "Les ventes nettes annuelles par euro de stock moyen sont de {value} euros."
formula: net sales in 28 days x 365 / days whose sales are known, divided by the average stock value
source: MASB (revenue variant)
unit: turns per year
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: up
rollup: ratio
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, unit_cost: 2, net_sales: 56, average_value: 100}
        - {business_date: 2026-09-28, sku: B, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 14, unit_cost: 2, net_sales: 5, average_value: 0}
        - {business_date: 2026-09-28, sku: C, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 0}
        - {business_date: 2026-09-28, sku: D, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, unit_cost: 2, average_value: 100}
        - {business_date: 2026-09-28, sku: E, location_code: P1, listed_days: 14, sales_days: 14, valued_days: 7, unit_cost: 2, net_sales: -14, average_value: 73}
        - {business_date: 2026-09-28, sku: F, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 0, unit_cost: 2, net_sales: 5}
        - {business_date: 2026-09-28, sku: N, location_code: P1, listed_days: 1, sales_days: 0, valued_days: 0, unit_cost: 2, average_value: 100}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 730, denominator: 100, value: 7.3, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-28, sku: B, numerator: null, denominator: null, value: null, reason_code: no_stock, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: C, value: null, reason_code: no_cost, coverage_pct: 0}
      - {business_date: 2026-09-28, sku: D, numerator: null, denominator: null, value: null, reason_code: no_price}
      - {business_date: 2026-09-28, sku: E, numerator: -365, denominator: 73, value: -5, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: F, value: null, reason_code: stale}
      - {business_date: 2026-09-28, sku: N, numerator: null, denominator: null, value: null, reason_code: missing_sales, coverage_pct: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(average_value > 0, net_sales * 365 / NULLIF(sales_days, 0), NULL) AS numerator,
  IF(average_value > 0 AND net_sales IS NOT NULL, average_value, NULL) AS denominator,
  IF(average_value > 0, net_sales * 365 / NULLIF(sales_days, 0) / average_value, NULL) AS value,
  CASE
    WHEN average_value IS NULL AND unit_cost IS NULL THEN 'no_cost'
    WHEN average_value IS NULL THEN 'stale'
    WHEN average_value <= 0 THEN 'no_stock'
    WHEN sales_days = 0 THEN 'missing_sales'
    WHEN net_sales IS NULL THEN 'no_price'
  END AS reason_code,
  100 * valued_days / listed_days AS coverage_pct
FROM inventory_kpi.window_28d
