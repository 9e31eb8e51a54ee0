/*
title: GMROI, annualised
description: >
  Annual gross margin for each euro of average stock at cost, at the rate of the last 28 days. A sale without a net
  amount has no margin, neither gained nor lost: it lowers the coverage, which is the share of days with a value times
  the share of units with a margin.
meaning: Annual gross margin per euro of average stock is {value} euros.
french:
  title: "GMROI, annualisé"
  description: >
    Marge brute annuelle pour chaque euro de stock moyen au coût, au rythme des 28 derniers jours. Une vente sans
    montant net n'a pas de marge, ni gagnée ni perdue : elle baisse la couverture, qui est la part des jours avec
    une valeur multipliée par la part des unités avec une marge.
  meaning: "La marge brute annuelle par euro de stock moyen est de {value} euros."
formula: gross margin of the sales whose amount and cost are known in 28 days x 365 / days with a cost, divided by the average stock value
source: MASB (annualised variant)
unit: EUR per EUR
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: up
rollup: ratio
thresholds: {low: 1}
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-28, sku: A, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, gross_margin: 28, units_moved: 8, margin_units: 8, average_value: 100}
        - {business_date: 2026-09-28, sku: B, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, gross_margin: -3, units_moved: 4, margin_units: 2, average_value: 10}
        - {business_date: 2026-09-28, sku: C, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, gross_margin: 0, units_moved: 4, margin_units: 0, average_value: 10}
        - {business_date: 2026-09-28, sku: D, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 28, costed_days: 28, gross_margin: 9, units_moved: 4, margin_units: 4, average_value: -50}
        - {business_date: 2026-09-28, sku: E, location_code: P1, listed_days: 28, sales_days: 28, valued_days: 14, costed_days: 28, gross_margin: 0, units_moved: 0, margin_units: 0, average_value: 10}
        - {business_date: 2026-09-28, sku: N, location_code: P1, listed_days: 1, sales_days: 0, valued_days: 0, costed_days: 0, units_moved: 0, margin_units: 0, average_value: 100}
    expect:
      - {business_date: 2026-09-28, sku: A, numerator: 365, denominator: 100, value: 3.65, coverage_pct: 100}
      - {business_date: 2026-09-28, sku: B, value: -3.910714, reason_code: null, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: C, numerator: null, denominator: null, value: null, reason_code: no_price, coverage_pct: 0}
      - {business_date: 2026-09-28, sku: D, numerator: null, denominator: null, value: null, reason_code: no_stock}
      - {business_date: 2026-09-28, sku: E, value: 0, coverage_pct: 50}
      - {business_date: 2026-09-28, sku: N, numerator: null, denominator: null, value: null, reason_code: missing_sales, coverage_pct: 0}
*/
WITH measured AS (
  SELECT
    window_28d.*,
    IF(units_moved > 0, margin_units / units_moved, 1) AS margin_share,
    average_value > 0 AND sales_days > 0 AND (units_moved = 0 OR margin_units > 0) AS has_value
  FROM inventory_kpi.window_28d AS window_28d
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(has_value, gross_margin * 365 / NULLIF(costed_days, 0), NULL) AS numerator,
  IF(has_value, average_value, NULL) AS denominator,
  IF(has_value, gross_margin * 365 / NULLIF(costed_days, 0) / average_value, NULL) AS value,
  CASE
    WHEN average_value IS NULL AND unit_cost IS NULL THEN 'no_cost'
    WHEN average_value IS NULL THEN 'stale'
    WHEN average_value <= 0 THEN 'no_stock'
    WHEN sales_days = 0 THEN 'missing_sales'
    WHEN units_moved > 0 AND margin_units = 0 THEN 'no_price'
  END AS reason_code,
  100 * valued_days / listed_days * margin_share AS coverage_pct
FROM measured
