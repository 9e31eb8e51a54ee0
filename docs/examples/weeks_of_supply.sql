/*
title: Weeks of supply
description: How many weeks the stock lasts at the demand of the last 28 days. Negative stock counts as none.
meaning: "Stock covers {value} weeks of demand."
formula: max(units on hand, 0) / (units sold in 28 days / days x 7)
source: retail practice (backward looking)
unit: weeks
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: none
rollup: ratio
thresholds: {low: 2, high: 13}
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, on_hand: 28, listed_days: 28, sales_days: 28, observed_days: 28, units_sold: 56}
        - {business_date: 2026-09-28, sku: B, location_code: P1, on_hand: 28, listed_days: 28, sales_days: 28, observed_days: 14, units_sold: 0}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 28, denominator: 14, value: 2, reason_code: null}
      - {business_date: 2026-09-28, sku: B, numerator: null, denominator: null, value: null, reason_code: no_demand, coverage_pct: 50}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(units_sold > 0, GREATEST(on_hand, 0), NULL) AS numerator,
  IF(units_sold > 0 AND on_hand IS NOT NULL, 7 * units_sold / sales_days, NULL) AS denominator,
  IF(units_sold > 0, GREATEST(on_hand, 0) / (7 * units_sold / sales_days), NULL) AS value,
  CASE WHEN on_hand IS NULL THEN 'stale' WHEN units_sold <= 0 THEN 'no_demand' END AS reason_code,
  100 * observed_days / listed_days AS coverage_pct
FROM inventory_kpi.window_28d
