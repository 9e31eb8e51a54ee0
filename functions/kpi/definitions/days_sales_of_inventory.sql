/*
title: Days sales of inventory
description: >
  How many days of sales at cost the average stock of the last 28 days is worth. Days without a known cost are left out on
  both sides. Without sales at cost there is no figure: no demand does not mean zero days.
meaning: "The average stock is worth {value} days of sales at cost."
french:
  title: "Stock en jours de ventes"
  description: >
    Nombre de jours de ventes au coût que vaut le stock moyen des 28 derniers jours. Les jours sans coût connu sont
    exclus des deux côtés. Sans ventes au coût il n'y a pas de chiffre : l'absence de demande ne veut pas dire zéro
    jour.
  meaning: "Le stock moyen vaut {value} jours de ventes au coût."
formula: average stock value / (cost of goods sold in 28 days / days with a cost)
source: finance textbooks (average stock variant)
unit: days
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: down
rollup: ratio
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, unit_cost: 2, cogs: 56, average_value: 100}
        - {business_date: 2026-09-28, sku: B, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 14, costed_days: 28, unit_cost: 2, cogs: 0, average_value: 10}
        - {business_date: 2026-09-28, sku: C, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 0, costed_days: 0}
        - {business_date: 2026-09-28, sku: D, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, unit_cost: 2, cogs: 56, average_value: -5}
        - {business_date: 2026-09-28, sku: E, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, unit_cost: 2, cogs: -4, average_value: 8}
        - {business_date: 2026-09-28, sku: N, location_code: P1, listed_days: 1, sales_days: 0, valued_days: 0, costed_days: 0, unit_cost: 2, average_value: 100}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 100, denominator: 2, value: 50, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-28, sku: B, numerator: null, denominator: null, value: null, reason_code: no_demand, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: C, value: null, reason_code: no_cost, coverage_pct: 0}
      - {business_date: 2026-09-28, sku: D, numerator: null, denominator: null, value: null, reason_code: no_stock}
      - {business_date: 2026-09-28, sku: E, value: null, reason_code: no_demand}
      - {business_date: 2026-09-28, sku: N, numerator: null, denominator: null, value: null, reason_code: missing_sales, coverage_pct: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(cogs > 0 AND average_value > 0, average_value, NULL) AS numerator,
  IF(cogs > 0 AND average_value > 0, cogs / costed_days, NULL) AS denominator,
  IF(cogs > 0 AND average_value > 0, average_value * costed_days / cogs, NULL) AS value,
  CASE
    WHEN average_value IS NULL AND unit_cost IS NULL THEN 'no_cost'
    WHEN average_value IS NULL THEN 'stale'
    WHEN average_value <= 0 THEN 'no_stock'
    WHEN sales_days = 0 THEN 'missing_sales'
    WHEN COALESCE(cogs, 0) <= 0 THEN 'no_demand'
  END AS reason_code,
  100 * valued_days / listed_days AS coverage_pct
FROM inventory_kpi.window_28d
