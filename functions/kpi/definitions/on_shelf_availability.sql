/*
title: On-shelf availability
description: >
  Share of demand that was in stock: each listed SKU and location is weighted by its daily sales of the last 28 days.
  A SKU that does not sell has no weight; days without data are left out. The stockout rate gives every SKU and location the same weight.
meaning: "{value} of demand was in stock."
french:
  title: "Disponibilité en rayon"
  description: >
    Part de la demande qui était en stock : chaque référence au catalogue et emplacement pèse autant que ses ventes
    par jour des 28 derniers jours. Une référence qui ne se vend pas n'a pas de poids ; les jours sans données sont
    exclus. Le taux de rupture donne le même poids à chaque référence et emplacement.
  meaning: "{value} de la demande était en stock."
formula: mean daily demand (28 days) of SKU-locations with available > 0 / mean daily demand of all those with data
source: ready rate literature, weighted by demand
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: up
rollup: ratio
thresholds: {low: 0.95}
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, is_listed: true, available: 3, listed_days: 28, sales_days: 28, observed_days: 28, units_sold: 84}
        - {business_date: 2026-09-28, sku: B, location_code: P1, is_listed: true, available: 0, listed_days: 28, sales_days: 28, observed_days: 14, units_sold: 28}
        - {business_date: 2026-09-28, sku: C, location_code: P1, is_listed: true, available: 9, listed_days: 28, sales_days: 28, observed_days: 28, units_sold: -1}
        - {business_date: 2026-09-28, sku: D, location_code: P1, is_listed: true, listed_days: 28, sales_days: 28, observed_days: 7, units_sold: 5}
        - {business_date: 2026-09-28, sku: N, location_code: P1, is_listed: true, available: 3, listed_days: 1, sales_days: 0, observed_days: 0}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 3, denominator: 3, value: 1, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-28, sku: B, numerator: 0, denominator: 1, value: 0, reason_code: null, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: C, numerator: null, denominator: null, value: null, reason_code: no_demand}
      - {business_date: 2026-09-28, sku: D, numerator: null, denominator: null, value: null, reason_code: stale, coverage_pct: 25}
      - {business_date: 2026-09-28, sku: N, numerator: null, denominator: null, value: null, reason_code: missing_sales, coverage_pct: 0}
*/
WITH asked AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    available,
    units_sold,
    listed_days,
    sales_days,
    observed_days,
    IF(available IS NOT NULL AND units_sold > 0, units_sold / sales_days, NULL) AS daily_demand
  FROM inventory_kpi.window_28d
  WHERE is_listed
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(available > 0, daily_demand, daily_demand * 0) AS numerator,
  daily_demand AS denominator,
  IF(daily_demand IS NULL, NULL, IF(available > 0, 1.0, 0.0)) AS value,
  CASE
    WHEN available IS NULL THEN 'stale'
    WHEN units_sold IS NULL THEN 'missing_sales'
    WHEN units_sold <= 0 THEN 'no_demand'
  END AS reason_code,
  100 * observed_days / listed_days AS coverage_pct
FROM asked
