/*
title: Stockout rate
description: >
  Share of the listed SKUs that were out of stock on a day. A SKU counts from its first listed day to its delisting, at
  the locations that stock it while they are open; days without data are left out.
meaning: "{value} of listed SKU-locations were out of stock."
french:
  title: "Taux de rupture"
  description: >
    Part des références au catalogue en rupture un jour donné. Une référence compte de son premier jour au catalogue
    à son retrait, dans les emplacements qui la tiennent tant qu'ils sont ouverts ; les jours sans données sont
    exclus.
  meaning: "{value} des références au catalogue par emplacement étaient en rupture."
formula: listed SKU-days with available <= 0 / listed SKU-days with data
source: ready rate literature
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: down
rollup: ratio
thresholds: {high: 0.05}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_listed: true, available: 3}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_listed: true, available: -1}
        - {business_date: 2026-09-01, sku: C, location_code: P1, is_listed: true}
        - {business_date: 2026-09-01, sku: D, location_code: P1, is_listed: false, available: 0}
    expect:
      - {business_date: 2026-09-01, sku: A, numerator: 0, denominator: 1, value: 0}
      - {business_date: 2026-09-01, sku: B, numerator: 1, denominator: 1, value: 1}
      - {business_date: 2026-09-01, sku: C, numerator: null, denominator: null, value: null, reason_code: stale, coverage_pct: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(available IS NULL, NULL, IF(available <= 0, 1.0, 0.0)) AS numerator,
  IF(available IS NULL, NULL, 1.0) AS denominator,
  IF(available IS NULL, NULL, IF(available <= 0, 1.0, 0.0)) AS value,
  IF(available IS NULL, 'stale', NULL) AS reason_code,
  IF(available IS NULL, 0.0, 100.0) AS coverage_pct
FROM inventory_kpi.stock_daily
WHERE is_listed
