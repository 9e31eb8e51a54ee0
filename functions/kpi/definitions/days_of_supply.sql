/*
title: Days of supply
description: >
  How many days the stock lasts at the rate of sale of the last 28 days. Negative stock counts as none. A SKU without net
  sales has no days of supply, and its stock takes no part in a total. Days whose sales are missing are left out, and
  lower the coverage.
meaning: Stock covers {value} days of demand.
french:
  title: "Jours de couverture"
  description: >
    Nombre de jours que dure le stock au rythme de vente des 28 derniers jours. Un stock négatif compte pour zéro.
    Une référence sans ventes nettes n'a pas de jours de couverture, et son stock n'entre dans aucun total. Les
    jours dont les ventes manquent sont exclus et baissent la couverture des données.
  meaning: "Le stock couvre {value} jours de demande."
formula: max(units on hand, 0) / (units sold in 28 days / days whose sales are known)
source: Cortex days on hand, corrected (no demand is not zero days)
unit: days
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: none
rollup: ratio
thresholds: {low: 10, high: 90}
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, on_hand: 30, listed_days: 28, sales_days: 28, observed_days: 28, units_sold: 56}
        - {business_date: 2026-09-28, sku: E, location_code: P1, on_hand: 30, listed_days: 28, sales_days: 21, observed_days: 21, units_sold: 42}
        - {business_date: 2026-09-28, sku: F, location_code: P1, on_hand: 30, listed_days: 1, sales_days: 0, observed_days: 0}
        - {business_date: 2026-09-28, sku: B, location_code: P1, on_hand: 30, listed_days: 28, observed_days: 28, units_sold: 0}
        - {business_date: 2026-09-28, sku: C, location_code: P1, on_hand: -4, listed_days: 28, sales_days: 28, observed_days: 28, units_sold: 28}
        - {business_date: 2026-09-28, sku: D, location_code: P1, on_hand: 30, listed_days: 28, observed_days: 28, units_sold: -49}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 30, denominator: 2, value: 15}
      - {business_date: 2026-09-28, sku: E, numerator: 30, denominator: 2, value: 15, reason_code: null, coverage_pct: 75}
      - {business_date: 2026-09-28, sku: F, numerator: null, denominator: null, value: null, reason_code: missing_sales, coverage_pct: 0}
      - {business_date: 2026-09-28, sku: B, numerator: null, denominator: null, value: null, reason_code: no_demand}
      - {business_date: 2026-09-28, sku: C, value: 0, reason_code: null}
      - {business_date: 2026-09-28, sku: D, numerator: null, denominator: null, value: null, reason_code: no_demand}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(units_sold > 0, GREATEST(on_hand, 0), NULL) AS numerator,
  IF(units_sold > 0 AND on_hand IS NOT NULL, units_sold / sales_days, NULL) AS denominator,
  IF(units_sold > 0, GREATEST(on_hand, 0) / (units_sold / sales_days), NULL) AS value,
  CASE
    WHEN on_hand IS NULL THEN 'stale'
    WHEN units_sold IS NULL THEN 'missing_sales'
    WHEN units_sold <= 0 THEN 'no_demand'
  END AS reason_code,
  100 * observed_days / listed_days AS coverage_pct
FROM inventory_kpi.window_28d
