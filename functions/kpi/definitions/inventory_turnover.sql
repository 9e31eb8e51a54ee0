/*
title: Inventory turnover (COGS)
description: >
  How many times a year the stock is sold, at the rate of the last 28 days. Days without a known cost are left out on
  both sides; stock without a positive average value takes no part in a total.
meaning: At the current rate stock turns {value} times a year.
french:
  title: "Rotation du stock (coût des ventes)"
  description: >
    Nombre de fois que le stock est vendu par an, au rythme des 28 derniers jours. Les jours sans coût connu sont
    exclus des deux côtés ; un stock sans valeur moyenne positive n'entre dans aucun total.
  meaning: "Au rythme actuel, le stock tourne {value} fois par an."
formula: cost of goods sold in 28 days x 365 / days with a cost, divided by the average stock value of those days
source: MASB; IFS
unit: turns per year
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: up
rollup: ratio
thresholds: {low: 4, high: 12}
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, unit_cost: 2, cogs: 56, average_value: 100}
        - {business_date: 2026-09-28, sku: B, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 14, costed_days: 28, unit_cost: 2, cogs: 5, average_value: 0}
        - {business_date: 2026-09-28, sku: C, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 0, costed_days: 0}
        - {business_date: 2026-09-28, sku: D, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, unit_cost: 2, cogs: 56, average_value: -90}
        - {business_date: 2026-09-28, sku: E, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 14, costed_days: 14, unit_cost: 2, cogs: 28, average_value: 100}
        - {business_date: 2026-09-28, sku: N, location_code: P1, listed_days: 1, sales_days: 0, valued_days: 0, costed_days: 0, unit_cost: 2, average_value: 100}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 730, denominator: 100, value: 7.3, coverage_pct: 100}
      - {business_date: 2026-09-28, sku: B, numerator: null, denominator: null, value: null, reason_code: no_stock, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: C, value: null, reason_code: no_cost, coverage_pct: 0}
      - {business_date: 2026-09-28, sku: D, numerator: null, denominator: null, value: null, reason_code: no_stock}
      - {business_date: 2026-09-28, sku: E, numerator: 730, denominator: 100, value: 7.3, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: N, numerator: null, denominator: null, value: null, reason_code: missing_sales, coverage_pct: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(average_value > 0, cogs * 365 / NULLIF(costed_days, 0), NULL) AS numerator,
  IF(average_value > 0 AND cogs IS NOT NULL, average_value, NULL) AS denominator,
  IF(average_value > 0, cogs * 365 / NULLIF(costed_days, 0) / average_value, NULL) AS value,
  CASE
    WHEN average_value IS NULL AND unit_cost IS NULL THEN 'no_cost'
    WHEN average_value IS NULL THEN 'stale'
    WHEN average_value <= 0 THEN 'no_stock'
    WHEN cogs IS NULL THEN 'missing_sales'
  END AS reason_code,
  100 * valued_days / listed_days AS coverage_pct
FROM inventory_kpi.window_28d
