/*
title: Lost sales (estimate)
description: >
  An estimate of the units that were not sold in the last 28 days because a listed SKU was out of stock: the days without
  stock times what sold on a day with stock. Never in stock means no rate, so no estimate. Days without data, or whose
  sales are missing, are left out and lower the coverage.
meaning: "An estimated {value} units were not sold in 28 days for lack of stock."
french:
  title: "Ventes perdues (estimation)"
  description: >
    Estimation des unités non vendues dans les 28 derniers jours parce qu'une référence au catalogue était en
    rupture : les jours sans stock multipliés par les ventes d'un jour avec stock. Jamais en stock, pas de rythme de
    vente, donc pas d'estimation. Les jours sans données, ou dont les ventes manquent, sont exclus et baissent la
    couverture.
  meaning: "Environ {value} unités n'ont pas été vendues en 28 jours faute de stock."
formula: listed days with available <= 0 x units sold on days in stock / days in stock, in 28 days
source: retail practice (an estimate, not a measurement)
unit: units
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 28
horizon: stock
direction: down
rollup: sum
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, is_listed: true, available: 9, units_sold: 6}
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_stocked: true, is_listed: true, available: 3, units_sold: 2}
        - {business_date: 2026-09-03, sku: A, location_code: P1, is_stocked: true, is_listed: true, available: 0, units_sold: 1}
        - {business_date: 2026-09-29, sku: A, location_code: P1, is_stocked: true, is_listed: true, units_sold: 0}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, is_listed: true, available: -1, units_sold: 0}
        - {business_date: 2026-09-01, sku: C, location_code: P1, is_stocked: true, is_listed: true, units_sold: 0}
        - {business_date: 2026-09-01, sku: D, location_code: P1, is_stocked: true, is_listed: true, available: 5, units_sold: -3}
        - {business_date: 2026-09-02, sku: D, location_code: P1, is_stocked: true, is_listed: false, available: 0, units_sold: 0}
        - {business_date: 2026-09-01, sku: N, location_code: P2, is_stocked: true, is_listed: true, available: 5, units_sold: 4}
        - {business_date: 2026-09-02, sku: N, location_code: P2, is_stocked: true, is_listed: true, available: 5}
        - {business_date: 2026-09-03, sku: N, location_code: P2, is_stocked: true, is_listed: true, available: 0, units_sold: 0}
    expect:
      - {business_date: 2026-09-01, sku: A, value: 0, days_out: 0, days_in: 1, coverage_pct: 100}
      - {business_date: 2026-09-02, sku: A, value: 0, days_in: 2}
      - {business_date: 2026-09-03, sku: A, numerator: 4, denominator: null, value: 4, days_out: 1, reason_code: null}
      - {business_date: 2026-09-29, sku: A, value: 2, days_out: 1, days_in: 1, coverage_pct: 66.666667}
      - {business_date: 2026-09-01, sku: B, numerator: null, value: null, reason_code: no_stock, days_out: 1, coverage_pct: 100}
      - {business_date: 2026-09-01, sku: C, value: null, reason_code: stale, coverage_pct: 0}
      - {business_date: 2026-09-01, sku: D, value: 0}
      - {business_date: 2026-09-02, sku: D, value: 0, days_out: 0}
      - {business_date: 2026-09-01, sku: N, value: 0}
      - {business_date: 2026-09-02, sku: N, value: 0, days_in: 1, coverage_pct: 50}
      - {business_date: 2026-09-03, sku: N, value: 4, days_in: 1, days_out: 1, coverage_pct: 66.666667}
*/
WITH trailing AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    COUNTIF(is_listed AND available <= 0) OVER window_28d AS days_out,
    COUNTIF(available > 0 AND units_sold IS NOT NULL) OVER window_28d AS days_in,
    SUM(IF(available > 0, COALESCE(units_sold, 0), 0)) OVER window_28d AS sold_in_stock,
    COUNT(available) OVER window_28d AS days_known,
    COUNT(IF(units_sold IS NULL, NULL, available)) OVER window_28d AS days_covered,
    COUNT(*) OVER window_28d AS days_all
  FROM inventory_kpi.stock_daily
  WHERE is_stocked
  WINDOW window_28d AS (
    PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)
    RANGE BETWEEN 27 PRECEDING AND CURRENT ROW
  )
),
estimated AS (
  SELECT
    trailing.*,
    IF(days_out = 0 AND days_known > 0, 0.0, days_out * GREATEST(sold_in_stock, 0) / NULLIF(days_in, 0)) AS units_lost
  FROM trailing
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  units_lost AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  units_lost AS value,
  CASE WHEN days_known = 0 THEN 'stale' WHEN units_lost IS NULL THEN 'no_stock' END AS reason_code,
  100 * days_covered / days_all AS coverage_pct,
  days_out,
  days_in
FROM estimated
