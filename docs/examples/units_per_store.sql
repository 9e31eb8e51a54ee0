/*
title: Units per store
description: Units sold on the day at each location, in the base unit. Net of returns.
meaning: "{value} units were sold on the day."
formula: sum of the quantity of the day's sales lines
source: this tour
unit: units
grain: [sku, location_code]
owner: you
lookback_days: 0
direction: up
rollup: sum
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  CAST(SUM(quantity) AS FLOAT64) AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  CAST(SUM(quantity) AS FLOAT64) AS value,
  CAST(NULL AS STRING) AS reason_code,
  100.0 AS coverage_pct
FROM inventory_curated.sales_enriched
GROUP BY business_date, sku, location_code, category
