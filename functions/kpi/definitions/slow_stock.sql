/*
title: Slow-moving stock
description: >
  Share of the stock value in SKUs that sold less than {sold_pct} % of their present stock in the last 365 days at the
  location. What has been there for fewer than {new_days} days is new, not slow. Only stock above zero counts.
  Days whose sales are missing lower the coverage.
meaning: "{value} of the stock value is in SKUs that hardly sell."
french:
  title: "Stock à rotation lente"
  description: >
    Part de la valeur du stock dans les références qui ont vendu dans l'emplacement moins de {sold_pct} % de leur
    stock actuel dans les 365 derniers jours. Ce qui est là depuis moins de {new_days} jours est nouveau, pas lent.
    Seul un stock positif compte. Les jours dont les ventes manquent baissent la couverture.
  meaning: "{value} de la valeur du stock est dans des références qui se vendent à peine."
formula: value of stock whose units sold in 365 days x 100 / units on hand < {sold_pct} / value of all stock
source: Cortex slow-moving inventory, corrected (new SKUs are exempt)
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 365
horizon: stock
direction: down
rollup: ratio
thresholds: {sold_pct: 100, new_days: 90}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-01-01, sku: A, location_code: P1, is_stocked: true, on_hand: 12, unit_cost: 2, stock_value: 24, units_sold: 2}
        - {business_date: 2026-06-01, sku: A, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, stock_value: 20, units_sold: 3}
        - {business_date: 2026-06-01, sku: B, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, stock_value: 20, units_sold: 3}
        - {business_date: 2026-01-01, sku: C, location_code: P1, is_stocked: true, on_hand: 0, unit_cost: 2, stock_value: 0, units_sold: 0}
        - {business_date: 2026-01-01, sku: D, location_code: P1, is_stocked: true, on_hand: 5, units_sold: 0}
        - {business_date: 2026-01-01, sku: E, location_code: P1, is_stocked: true, units_sold: 0}
        - {business_date: 2026-01-01, sku: F, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, stock_value: 20, units_sold: 8}
        - {business_date: 2026-06-01, sku: F, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, stock_value: 20, units_sold: 2}
        - {business_date: 2026-01-01, sku: N, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, stock_value: 20, units_sold: 1}
        - {business_date: 2026-06-01, sku: N, location_code: P1, is_stocked: true, on_hand: 9, unit_cost: 2, stock_value: 18, units_sold: null}
    expect:
      - {business_date: 2026-01-01, sku: A, numerator: 0, denominator: 24, value: 0}
      - {business_date: 2026-06-01, sku: A, numerator: 20, denominator: 20, value: 1, sold_units: 5, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-06-01, sku: B, value: 0}
      - {business_date: 2026-01-01, sku: C, numerator: null, denominator: null, value: null, reason_code: no_stock, coverage_pct: 100}
      - {business_date: 2026-01-01, sku: D, value: null, reason_code: no_cost, coverage_pct: 0}
      - {business_date: 2026-01-01, sku: E, value: null, reason_code: stale, coverage_pct: 0}
      - {business_date: 2026-01-01, sku: F, value: 0}
      - {business_date: 2026-06-01, sku: F, value: 0, sold_units: 10}
      - {business_date: 2026-01-01, sku: N, value: 0}
      - {business_date: 2026-06-01, sku: N, value: 1, sold_units: 1, coverage_pct: 50}
*/
WITH trailing AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    on_hand,
    unit_cost,
    stock_value,
    COALESCE(SUM(units_sold) OVER window_365d, 0) AS sold_units,
    COUNT(units_sold) OVER window_365d AS sales_days,
    COUNT(*) OVER window_365d AS days_all,
    DATE_DIFF(business_date, MIN(business_date) OVER window_365d, DAY) AS days_there
  FROM inventory_kpi.stock_daily
  WHERE is_stocked
  WINDOW window_365d AS (
    PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)
    RANGE BETWEEN 364 PRECEDING AND CURRENT ROW
  )
),
judged AS (
  SELECT
    trailing.*,
    on_hand > 0 AND stock_value > 0 AS has_value,
    days_there >= /* thresholds.new_days */ 90
      AND sold_units * 100 < on_hand * /* thresholds.sold_pct */ 100 AS is_slow
  FROM trailing
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(has_value, IF(is_slow, stock_value, 0), NULL) AS numerator,
  IF(has_value, stock_value, NULL) AS denominator,
  IF(has_value, IF(is_slow, 1.0, 0.0), NULL) AS value,
  CASE
    WHEN on_hand IS NULL THEN 'stale'
    WHEN on_hand <= 0 THEN 'no_stock'
    WHEN COALESCE(stock_value, 0) <= 0 THEN 'no_cost'
  END AS reason_code,
  IF(on_hand IS NULL OR unit_cost IS NULL, 0.0, 100 * sales_days / days_all) AS coverage_pct,
  sold_units
FROM judged
