/*
title: XYZ class
description: >
  How steadily a SKU sells over all locations: the spread of its units sold in each of the last 12 weeks, weeks without a
  sale included, against their mean. Below {x_pct} % it is X, below {y_pct} % Y, else Z. Fewer than 12 weeks are too few.
  With its ABC class it is the ABC-XYZ class: AX sells in volume and steadily.
meaning: "Weekly sales of a SKU vary by {value} around their mean."
french:
  title: "Classe XYZ"
  description: >
    Régularité des ventes d'une référence, tous emplacements confondus : la dispersion des unités vendues dans
    chacune des 12 dernières semaines, semaines sans vente comprises, rapportée à leur moyenne. Au-dessous de
    {x_pct} % c'est X, au-dessous de {y_pct} % Y, sinon Z. Moins de 12 semaines ne suffisent pas. Avec la classe
    ABC, c'est la classe ABC-XYZ : AX se vend beaucoup et régulièrement.
  meaning: "Les ventes par semaine d'une référence varient de {value} autour de leur moyenne."
formula: standard deviation / mean of the units sold in 12 weeks; < {x_pct} % X, < {y_pct} % Y, else Z
source: standard XYZ analysis
unit: share
grain: [sku]
owner: inventory-analytics
lookback_days: 84
horizon: sales
direction: none
rollup: ratio
thresholds: {x_pct: 50, y_pct: 100}
examples:
  - given:
      inventory_kpi.abc_class:
        - {business_date: 2026-09-01, sku: A, abc_class: A}
        - {business_date: 2026-09-08, sku: A, abc_class: B}
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, units_sold: 2}
        - {business_date: 2026-09-01, sku: A, location_code: P2, units_sold: 3}
    expect:
      - {business_date: 2026-09-01, sku: A, numerator: null, denominator: null, value: null, reason_code: missing_days, coverage_pct: 1.1904762, xyz_class: null, abc_xyz_class: null}
      - {business_date: 2026-09-08, sku: A, value: null, reason_code: missing_days, coverage_pct: 2.3809524}
*/
WITH sold AS (
  SELECT business_date, sku, SUM(units_sold) AS units, COUNT(*) AS shelves, COUNT(units_sold) AS shelves_known
  FROM inventory_kpi.stock_daily
  GROUP BY business_date, sku
),
-- each SKU has a row in abc_class on every day of the year after a balance or a sale
weekly AS (
  SELECT
    ranked.business_date,
    ranked.sku,
    ranked.category,
    ranked.abc_class,
    SUM(COALESCE(sold.units, 0)) OVER (
      PARTITION BY ranked.sku ORDER BY UNIX_DATE(ranked.business_date) RANGE BETWEEN 6 PRECEDING AND CURRENT ROW
    ) AS units,
    COUNT(*) OVER twelve_weeks AS days_known,
    SUM(COALESCE(sold.shelves_known / sold.shelves, 1)) OVER twelve_weeks AS days_covered
  FROM inventory_kpi.abc_class AS ranked
  LEFT JOIN sold ON sold.business_date = ranked.business_date AND sold.sku = ranked.sku
  WINDOW twelve_weeks AS (
    PARTITION BY ranked.sku ORDER BY UNIX_DATE(ranked.business_date) RANGE BETWEEN 83 PRECEDING AND CURRENT ROW
  )
),
-- the weeks that end on the same weekday; rounded, so that equal weeks have no spread
spread AS (
  SELECT
    weekly.*,
    days_known = 84 AS is_known,
    ROUND(AVG(units) OVER weeks, 6) AS weekly_units,
    ROUND(STDDEV_SAMP(units) OVER weeks, 6) AS deviation
  FROM weekly
  WINDOW weeks AS (
    PARTITION BY sku, MOD(UNIX_DATE(business_date), 7) ORDER BY UNIX_DATE(business_date)
    RANGE BETWEEN 77 PRECEDING AND CURRENT ROW
  )
),
classed AS (
  SELECT
    spread.*,
    is_known AND weekly_units > 0 AS has_value,
    CASE
      WHEN NOT is_known OR weekly_units <= 0 THEN NULL
      WHEN deviation * 100 < weekly_units * /* thresholds.x_pct */ 50 THEN 'X'
      WHEN deviation * 100 < weekly_units * /* thresholds.y_pct */ 100 THEN 'Y'
      ELSE 'Z'
    END AS xyz_class
  FROM spread
)
SELECT
  business_date,
  sku,
  category,
  IF(has_value, deviation, NULL) AS numerator,
  IF(has_value, weekly_units, NULL) AS denominator,
  IF(has_value, deviation / weekly_units, NULL) AS value,
  CASE WHEN NOT is_known THEN 'missing_days' WHEN weekly_units <= 0 THEN 'no_demand' END AS reason_code,
  100 * days_covered / 84 AS coverage_pct,
  xyz_class,
  CONCAT(abc_class, xyz_class) AS abc_xyz_class
FROM classed
