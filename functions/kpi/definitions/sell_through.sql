/*
title: Sell-through
description: Share of the units available for sale in the last 28 days that was sold, net of returns. Days whose sales are missing lower the coverage.
meaning: "{value} of available units were sold in the last 28 days."
french:
  title: "Taux d'écoulement"
  description: >
    Part des unités à vendre dans les 28 derniers jours qui a été vendue, retours déduits. Les jours dont les ventes
    manquent baissent la couverture.
  meaning: "{value} des unités disponibles ont été vendues dans les 28 derniers jours."
formula: units sold in 28 days / (units sold + units on hand at the end)
source: retail practice (variant A)
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: up
rollup: ratio
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, on_hand: 30, listed_days: 28, sales_days: 28, observed_days: 28, units_sold: 10}
        - {business_date: 2026-09-28, sku: B, location_code: P1, on_hand: 30, listed_days: 28, sales_days: 28, observed_days: 28, units_sold: -2}
        - {business_date: 2026-09-28, sku: C, location_code: P1, on_hand: 0, listed_days: 28, sales_days: 28, observed_days: 14, units_sold: 0}
        - {business_date: 2026-09-28, sku: N, location_code: P1, on_hand: 3, listed_days: 1, sales_days: 0, observed_days: 0}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 10, denominator: 40, value: 0.25}
      - {business_date: 2026-09-28, sku: B, numerator: null, denominator: null, value: null, reason_code: no_demand}
      - {business_date: 2026-09-28, sku: C, numerator: null, denominator: null, value: null, reason_code: no_stock, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: N, numerator: null, denominator: null, value: null, reason_code: missing_sales, coverage_pct: 0}
*/
WITH offered AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    on_hand,
    units_sold,
    listed_days,
    observed_days,
    IF(units_sold < 0, NULL, NULLIF(units_sold + GREATEST(on_hand, 0), 0)) AS units
  FROM inventory_kpi.window_28d
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(units IS NULL, NULL, units_sold) AS numerator,
  units AS denominator,
  units_sold / units AS value,
  CASE
    WHEN on_hand IS NULL THEN 'stale'
    WHEN units_sold IS NULL THEN 'missing_sales'
    WHEN units_sold < 0 THEN 'no_demand'
    WHEN units IS NULL THEN 'no_stock'
  END AS reason_code,
  100 * observed_days / listed_days AS coverage_pct
FROM offered
