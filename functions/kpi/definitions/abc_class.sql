/*
title: ABC class
description: >
  SKUs ranked by what they sold at cost in the last 365 days, over all locations, with or without a balance: those that
  make the first 80 % are A, up to 95 % B, the rest C. The SKU that crosses a boundary gets the higher class; no
  consumption is C. The coverage is the share of the units sold whose cost is known.
meaning: "{value} SKUs make the first 80 % of sales at cost (class A)."
french:
  title: "Classe ABC"
  description: >
    Références classées par leurs ventes au coût des 365 derniers jours, tous emplacements confondus, avec ou sans
    stock connu : celles qui font les premiers 80 % sont A, jusqu'à 95 % B, les autres C. La référence qui franchit
    une limite prend la classe supérieure ; sans consommation, c'est C. La couverture est la part des unités vendues
    dont le coût est connu.
  meaning: "{value} références font les premiers 80 % des ventes au coût (classe A)."
formula: cost of goods sold of the SKU / of all SKUs, in 365 days; cumulative <= 80 % A, <= 95 % B, else C
source: standard ABC analysis
unit: share
grain: [sku]
owner: inventory-analytics
lookback_days: 365
horizon: sales
direction: none
rollup: ratio
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
        - {business_date: 2026-10-01}
      inventory_curated.sales:
        - {business_date: 2026-10-01, sku: A}
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-30, sku: A, location_code: P1, cogs: 70, units_moved: 7}
        - {business_date: 2026-09-30, sku: B, location_code: WEB, cogs: 20, units_moved: 1}
        - {business_date: 2026-09-30, sku: C, location_code: P1, cogs: 6, units_moved: 3}
        - {business_date: 2026-09-30, sku: C, location_code: P2, cogs: null, units_moved: 1}
        - {business_date: 2026-09-30, sku: D, location_code: P1, cogs: 4, units_moved: 1}
        - {business_date: 2026-09-30, sku: E, location_code: P1, cogs: 0, units_moved: 0}
        - {business_date: 2026-09-30, sku: F, location_code: P1, cogs: null, units_moved: 5}
        - {business_date: 2026-10-01, sku: A, location_code: P1, cogs: 0, units_moved: 0}
    expect:
      - {business_date: 2026-09-30, sku: A, abc_class: A, value: 0.7, coverage_pct: 100}
      - {business_date: 2026-09-30, sku: B, abc_class: A, value: 0.2}
      - {business_date: 2026-09-30, sku: C, abc_class: B, value: 0.06, coverage_pct: 75}
      - {business_date: 2026-09-30, sku: D, abc_class: C, value: 0.04}
      - {business_date: 2026-09-30, sku: E, abc_class: C, value: 0, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-30, sku: F, abc_class: C, numerator: null, denominator: null, value: null, reason_code: no_cost, coverage_pct: 0}
      - {business_date: 2026-10-01, sku: A, value: 0.7}
      - {business_date: 2026-10-01, sku: B, abc_class: A, value: 0.2}
      - {business_date: 2026-10-01, sku: C}
      - {business_date: 2026-10-01, sku: D}
      - {business_date: 2026-10-01, sku: E}
      - {business_date: 2026-10-01, sku: F}
*/
WITH by_day AS (
  SELECT
    business_date,
    sku,
    MAX(category) AS category,
    SUM(cogs) AS cogs,
    SUM(units_moved) AS units_moved,
    SUM(IF(cogs IS NULL, 0, units_moved)) AS costed_units
  FROM inventory_kpi.stock_daily
  GROUP BY business_date, sku
),
horizon AS (
  SELECT MAX(calendar.business_date) AS last_day
  FROM inventory_kpi.calendar AS calendar
  JOIN inventory_curated.known_days AS known
    ON known.horizon = 'sales' AND calendar.business_date <= known.last_day
),
-- what was sold without a balance has no row on the days between: it is ranked for 365 days all the same
spine AS (
  SELECT
    day AS business_date,
    fact.sku,
    fact.category,
    IF(day = fact.business_date, fact.cogs, NULL) AS cogs,
    IF(day = fact.business_date, fact.units_moved, 0) AS units_moved,
    IF(day = fact.business_date, fact.costed_units, 0) AS costed_units
  FROM (
    SELECT by_day.*, LEAD(business_date) OVER (PARTITION BY sku ORDER BY business_date) AS next_date
    FROM by_day
  ) AS fact
  CROSS JOIN horizon
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(
    fact.business_date,
    LEAST(
      DATE_ADD(fact.business_date, INTERVAL 364 DAY),
      COALESCE(DATE_SUB(fact.next_date, INTERVAL 1 DAY), horizon.last_day),
      horizon.last_day
    )
  )) AS day
),
consumed AS (
  SELECT
    business_date,
    sku,
    category,
    SUM(cogs) OVER trailing AS consumption,
    SUM(units_moved) OVER trailing AS units_moved,
    SUM(costed_units) OVER trailing AS costed_units
  FROM spine
  WINDOW trailing AS (
    PARTITION BY sku ORDER BY UNIX_DATE(business_date) RANGE BETWEEN 364 PRECEDING AND CURRENT ROW
  )
),
-- rounded, so that equal consumption ties exactly and the SKU decides, whatever the order of summing
measured AS (
  SELECT consumed.*, ROUND(GREATEST(COALESCE(consumption, 0), 0), 6) AS positive
  FROM consumed
),
ranked AS (
  SELECT
    measured.*,
    SUM(positive) OVER (PARTITION BY business_date) AS total,
    SUM(positive) OVER (
      PARTITION BY business_date ORDER BY positive DESC, sku ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS cumulative,
    ROW_NUMBER() OVER (PARTITION BY business_date ORDER BY positive DESC, sku) AS rank_of_sku
  FROM measured
)
SELECT
  business_date,
  sku,
  category,
  IF(consumption IS NULL OR total = 0, NULL, positive) AS numerator,
  IF(consumption IS NULL OR total = 0, NULL, total) AS denominator,
  IF(consumption IS NULL, NULL, positive / NULLIF(total, 0)) AS value,
  CASE WHEN consumption IS NULL THEN 'no_cost' WHEN total = 0 THEN 'no_demand' END AS reason_code,
  CASE
    WHEN units_moved > 0 THEN 100 * costed_units / units_moved
    WHEN consumption IS NULL THEN 0.0
    ELSE 100.0
  END AS coverage_pct,
  CASE
    WHEN positive <= 0 THEN 'C'
    WHEN cumulative - positive < 0.8 * total THEN 'A'
    WHEN cumulative - positive < 0.95 * total THEN 'B'
    ELSE 'C'
  END AS abc_class,
  rank_of_sku
FROM ranked
