/*
title: Carrying cost
description: >
  What the stock of the day would cost to keep for a year, at {rate_pct} % of its value at cost: capital, space, insurance,
  loss. The rate is a value of this header. Negative stock costs nothing to keep.
meaning: "Keeping today's stock for a year costs {value}."
french:
  title: "Coût de possession"
  description: >
    Ce que coûterait un an de possession du stock du jour, à {rate_pct} % de sa valeur au coût : capital, espace,
    assurance, pertes. Le taux est une valeur de cet en-tête. Un stock négatif ne coûte rien.
  meaning: "Garder le stock d'aujourd'hui pendant un an coûte {value}."
formula: max(stock value, 0) x {rate_pct} / 100
source: inventory theory texts (holding cost rate)
unit: EUR
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: down
rollup: sum
quantity: stock_on_hand
thresholds: {rate_pct: 20}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, stock_value: 20}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, on_hand: 5}
        - {business_date: 2026-09-01, sku: C, location_code: P1, is_stocked: true, on_hand: -5, unit_cost: 2, stock_value: -10}
        - {business_date: 2026-09-01, sku: D, location_code: P1, is_stocked: true, unit_cost: 2}
        - {business_date: 2026-09-01, sku: E, location_code: WEB, is_stocked: false, unit_cost: 2, units_sold: 4}
    expect:
      - {business_date: 2026-09-01, sku: A, value: 4, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-01, sku: B, value: null, reason_code: no_cost, coverage_pct: 0}
      - {business_date: 2026-09-01, sku: C, value: 0, reason_code: null}
      - {business_date: 2026-09-01, sku: D, value: null, reason_code: stale}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  GREATEST(stock_value, 0) * /* thresholds.rate_pct */ 20 / 100 AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  GREATEST(stock_value, 0) * /* thresholds.rate_pct */ 20 / 100 AS value,
  CASE WHEN on_hand IS NULL THEN 'stale' WHEN unit_cost IS NULL THEN 'no_cost' END AS reason_code,
  IF(stock_value IS NULL, 0.0, 100.0) AS coverage_pct
FROM inventory_kpi.stock_daily
WHERE is_stocked
