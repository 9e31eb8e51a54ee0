/*
title: GMROI, annualised
description: Gross margin a year, at the pace of the last 28 days, for each euro that lies in stock at cost.
meaning: A euro of stock earns so many euros of margin a year.
formula: (net sales whose cost is known - cost of goods sold) in 28 days x 365 / days, divided by the average stock value
source: MASB (annualised variant)
unit: EUR per EUR
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: up
rollup: ratio
thresholds: {low: 1}
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, listed_days: 28, valued_days: 28, costed_sales: 84, cogs: 56, average_value: 100}
        - {business_date: 2026-09-28, sku: B, location_code: P1, listed_days: 28, valued_days: 28, costed_sales: 5, cogs: 8, average_value: 10}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 365, denominator: 100, value: 3.65}
      - {business_date: 2026-09-28, sku: B, value: -3.910714, reason_code: null}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(average_value IS NULL, NULL, (costed_sales - cogs) * 365 / listed_days) AS numerator,
  average_value AS denominator,
  IF(average_value > 0, (costed_sales - cogs) * 365 / listed_days / average_value, NULL) AS value,
  CASE
    WHEN average_value IS NULL AND unit_cost IS NULL THEN 'no_cost'
    WHEN average_value IS NULL THEN 'stale'
    WHEN average_value <= 0 THEN 'no_stock'
  END AS reason_code,
  100 * valued_days / listed_days AS coverage_pct
FROM inventory_kpi.window_28d
