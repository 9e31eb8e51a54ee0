/*
title: ABC class
description: >
  SKUs ranked by what they sold at cost in the last 365 days, over all locations: those that make the first
  80 % are A, up to 95 % B, the rest C. The SKU that crosses a border gets the higher class; no consumption is C.
meaning: Share of a SKU in all that was sold at cost; a few SKUs make most of it.
formula: cost of goods sold of the SKU / of all SKUs, in 365 days; cumulative <= 80 % A, <= 95 % B, else C
source: standard ABC analysis
unit: share
grain: [sku]
owner: inventory-analytics
lookback_days: 365
direction: none
rollup: ratio
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-30, sku: A, location_code: P1, cogs: 70}
        - {business_date: 2026-09-30, sku: B, location_code: P1, cogs: 20}
        - {business_date: 2026-09-30, sku: C, location_code: P1, cogs: 6}
        - {business_date: 2026-09-30, sku: D, location_code: P1, cogs: 4}
        - {business_date: 2026-09-30, sku: E, location_code: P1, cogs: 0}
        - {business_date: 2026-09-30, sku: F, location_code: P1, cogs: null}
    expect:
      - {business_date: 2026-09-30, sku: A, abc_class: A, value: 0.7}
      - {business_date: 2026-09-30, sku: B, abc_class: A, value: 0.2}
      - {business_date: 2026-09-30, sku: C, abc_class: B, value: 0.06}
      - {business_date: 2026-09-30, sku: D, abc_class: C, value: 0.04}
      - {business_date: 2026-09-30, sku: E, abc_class: C, value: 0, reason_code: null}
      - {business_date: 2026-09-30, sku: F, abc_class: C, value: null, reason_code: no_cost, coverage_pct: 0}
*/
WITH by_day AS (
  SELECT business_date, sku, MAX(category) AS category, SUM(cogs) AS cogs, COUNTIF(cogs IS NULL) AS uncosted
  FROM inventory_kpi.stock_daily
  GROUP BY business_date, sku
),
consumed AS (
  SELECT
    business_date,
    sku,
    category,
    SUM(cogs) OVER trailing AS consumption,
    SUM(uncosted) OVER trailing AS uncosted
  FROM by_day
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
  IF(consumption IS NULL, NULL, positive) AS numerator,
  total AS denominator,
  IF(consumption IS NULL, NULL, positive / NULLIF(total, 0)) AS value,
  CASE WHEN consumption IS NULL THEN 'no_cost' WHEN total = 0 THEN 'no_demand' END AS reason_code,
  IF(uncosted > 0, 0.0, 100.0) AS coverage_pct,
  CASE
    WHEN positive <= 0 THEN 'C'
    WHEN cumulative - positive < 0.8 * total THEN 'A'
    WHEN cumulative - positive < 0.95 * total THEN 'B'
    ELSE 'C'
  END AS abc_class,
  rank_of_sku
FROM ranked
