/*
title: Units by day
description: Units sold on each day in each place.
meaning: So many units were sold.
formula: sum of quantities
source: the proofs
unit: units
grain: [location_code]
owner: chaos
lookback_days: 0
direction: up
rollup: sum
*/
SELECT
  business_date,
  location_code,
  SUM(quantity) AS numerator,
  CAST(1 AS NUMERIC) AS denominator,
  SUM(quantity) AS value,
  CAST(NULL AS STRING) AS reason_code,
  100 AS coverage_pct
FROM inventory_curated.sales
GROUP BY business_date, location_code
