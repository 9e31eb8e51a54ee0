/*
title: Units sold
description: >
  Units sold on a day, net of returns, in the base unit, at every location that sells, with or without a stock balance.
  A day without sales has no row.
meaning: "{value} units were sold on the day."
french:
  title: "Unités vendues"
  description: >
    Unités vendues un jour donné, retours déduits, dans l'unité de base, dans chaque emplacement qui vend, avec ou
    sans stock connu. Un jour sans vente n'a pas de ligne.
  meaning: "{value} unités ont été vendues ce jour."
formula: sum of units sold - units returned
source: retail practice
unit: units
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: up
rollup: sum
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, units_sold: 2, units_moved: 4}
        - {business_date: 2026-09-01, sku: A, location_code: WEB, is_stocked: false, units_sold: -1, units_moved: 1}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, units_sold: 0, units_moved: 0}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, value: 2, coverage_pct: 100}
      - {business_date: 2026-09-01, sku: A, location_code: WEB, value: -1}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  units_sold AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  units_sold AS value,
  CAST(NULL AS STRING) AS reason_code,
  100.0 AS coverage_pct
FROM inventory_kpi.stock_daily
WHERE units_moved > 0
