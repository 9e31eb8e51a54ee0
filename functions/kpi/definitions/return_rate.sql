/*
title: Return rate
description: >
  Units that customers brought back in the last 28 days, whenever they bought them, as a share of the units sold in the
  same days. It can exceed 100 % where sales are ending. Without units sold there is no rate. The
  coverage is the share of the days whose sales are not missing.
meaning: "Returns were {value} of the units sold."
french:
  title: "Taux de retour"
  description: >
    Unités rapportées par les clients dans les 28 derniers jours, quel que soit le jour d'achat, en part des unités
    vendues les mêmes jours. Le taux peut dépasser 100 % quand les ventes s'arrêtent. Sans unités vendues il n'y a
    pas de taux. La couverture est la part des jours dont les ventes ne manquent pas.
  meaning: "Les retours font {value} des unités vendues."
formula: units returned / units sold (returns not taken off), in 28 days
source: retail practice
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 28
direction: down
rollup: ratio
thresholds: {high: 0.1}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, units_sold: 10, units_moved: 10}
        - {business_date: 2026-09-02, sku: A, location_code: P1, units_sold: -2, units_moved: 2}
        - {business_date: 2026-09-29, sku: A, location_code: P1, units_sold: 3, units_moved: 5}
        - {business_date: 2026-09-01, sku: B, location_code: WEB, units_sold: -1, units_moved: 1}
        - {business_date: 2026-09-01, sku: C, location_code: P1, units_sold: 0, units_moved: 0}
        - {business_date: 2026-09-01, sku: N, location_code: P2, units_sold: null, units_moved: 0}
        - {business_date: 2026-09-02, sku: N, location_code: P2, units_sold: 2, units_moved: 4}
    expect:
      - {business_date: 2026-09-01, sku: A, numerator: 0, denominator: 10, value: 0, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-02, sku: A, numerator: 2, denominator: 10, value: 0.2}
      - {business_date: 2026-09-29, sku: A, numerator: 3, denominator: 4, value: 0.75}
      - {business_date: 2026-09-01, sku: B, numerator: null, denominator: null, value: null, reason_code: no_demand}
      - {business_date: 2026-09-01, sku: C, value: null, reason_code: no_demand}
      - {business_date: 2026-09-01, sku: N, value: null, reason_code: missing_sales, coverage_pct: 0}
      - {business_date: 2026-09-02, sku: N, numerator: 1, denominator: 3, reason_code: null, coverage_pct: 50}
*/
WITH trailing AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    COUNT(units_sold) OVER window_28d AS sales_days,
    COUNT(*) OVER window_28d AS days_all,
    SUM((units_moved + units_sold) / 2) OVER window_28d AS sold,
    SUM((units_moved - units_sold) / 2) OVER window_28d AS returned
  FROM inventory_kpi.stock_daily
  WINDOW window_28d AS (
    PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)
    RANGE BETWEEN 27 PRECEDING AND CURRENT ROW
  )
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(sold > 0, returned, NULL) AS numerator,
  IF(sold > 0, sold, NULL) AS denominator,
  IF(sold > 0, returned / NULLIF(sold, 0), NULL) AS value,
  CASE WHEN sales_days = 0 THEN 'missing_sales' WHEN sold > 0 THEN NULL ELSE 'no_demand' END AS reason_code,
  100 * sales_days / days_all AS coverage_pct
FROM trailing
