/*
kind: base
title: Calendar
description: Every day from the first to the newest business date that any fact knows. "Today" of the KPIs is its last day, never the clock, so a replay gives the same numbers.
grain: []
owner: inventory-data
lookback_days: 400
*/
WITH spans AS (
  SELECT MIN(business_date) AS first_day, MAX(business_date) AS last_day FROM inventory_curated.stock_snapshots
  UNION ALL
  SELECT MIN(business_date), MAX(business_date) FROM inventory_curated.sales
  UNION ALL
  SELECT MIN(business_date), MAX(business_date) FROM inventory_curated.stock_movements
  UNION ALL
  SELECT MIN(business_date), MAX(business_date) FROM inventory_curated.stock_counts
),
span AS (
  SELECT MIN(first_day) AS first_day, MAX(last_day) AS last_day FROM spans
)
SELECT business_date
FROM span, UNNEST(GENERATE_DATE_ARRAY(span.first_day, span.last_day)) AS business_date
