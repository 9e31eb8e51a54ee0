/*
title: Stock to sales
description: >
  The stock at the opening of the last 28 days, at the product's retail price of that day, for each euro of net sales in
  the same days. Negative opening stock counts as none. Where prices include tax and net sales do not, the ratio is higher by the
  tax. Days whose sales are missing lower the coverage.
meaning: "Opening stock at retail is {value} times the net sales of 28 days."
french:
  title: "Rapport stock sur ventes"
  description: >
    Le stock à l'ouverture des 28 derniers jours, au prix de vente du produit ce jour-là, pour chaque euro de ventes
    nettes des mêmes jours. Un stock d'ouverture négatif compte pour zéro. Si les prix sont TTC et les ventes nettes
    HT, le rapport est plus haut d'autant. Les jours dont les ventes manquent baissent la couverture.
  meaning: "Le stock d'ouverture au prix de vente vaut {value} fois les ventes nettes de 28 jours."
formula: max(units on hand 28 days before, 0) x unit price / net sales in 28 days
source: retail practice (stock-to-sales ratio)
unit: ratio
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 28
horizon: stock
direction: none
rollup: ratio
examples:
  - given:
      inventory_kpi.window_28d:
        - {business_date: 2026-09-29, sku: A, location_code: P1, listed_days: 28, observed_days: 14, net_sales: 50}
        - {business_date: 2026-09-29, sku: B, location_code: P1, listed_days: 28, observed_days: 28, net_sales: 50}
        - {business_date: 2026-09-29, sku: C, location_code: P1, listed_days: 28, observed_days: 28, net_sales: 0}
        - {business_date: 2026-09-29, sku: D, location_code: P1, listed_days: 28, observed_days: 28}
        - {business_date: 2026-09-29, sku: E, location_code: P1, listed_days: 28, observed_days: 28, net_sales: 50}
        - {business_date: 2026-09-29, sku: F, location_code: P1, listed_days: 28, observed_days: 28, net_sales: 50}
        - {business_date: 2026-09-29, sku: G, location_code: P1, listed_days: 28, observed_days: 28, net_sales: 50}
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, on_hand: 10, unit_price: 20}
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_stocked: true, on_hand: 99, unit_price: 20}
        - {business_date: 2026-09-02, sku: B, location_code: P1, is_stocked: true, on_hand: 10, unit_price: 20}
        - {business_date: 2026-09-01, sku: C, location_code: P1, is_stocked: true, on_hand: 10, unit_price: 20}
        - {business_date: 2026-09-01, sku: D, location_code: P1, is_stocked: true, on_hand: 10, unit_price: 20}
        - {business_date: 2026-09-01, sku: E, location_code: P1, is_stocked: true, on_hand: -10, unit_price: 20}
        - {business_date: 2026-09-01, sku: F, location_code: P1, is_stocked: true, on_hand: 10}
        - {business_date: 2026-09-01, sku: G, location_code: P1, is_stocked: true, unit_price: 20}
    expect:
      - {business_date: 2026-09-29, sku: A, numerator: 200, denominator: 50, value: 4, reason_code: null, coverage_pct: 50}
      - {business_date: 2026-09-29, sku: B, numerator: null, denominator: null, value: null, reason_code: missing_days}
      - {business_date: 2026-09-29, sku: C, numerator: null, denominator: null, value: null, reason_code: no_demand}
      - {business_date: 2026-09-29, sku: D, value: null, reason_code: no_price}
      - {business_date: 2026-09-29, sku: E, numerator: 0, denominator: 50, value: 0, reason_code: null}
      - {business_date: 2026-09-29, sku: F, value: null, reason_code: no_price}
      - {business_date: 2026-09-29, sku: G, value: null, reason_code: stale}
*/
WITH opened AS (
  SELECT
    period.business_date,
    period.sku,
    period.location_code,
    period.category,
    period.observed_days,
    period.listed_days,
    period.sales_days,
    period.net_sales,
    opening.sku IS NOT NULL AS has_opening,
    opening.on_hand,
    opening.unit_price,
    GREATEST(opening.on_hand, 0) * opening.unit_price AS opening_value,
    opening.on_hand IS NOT NULL AND opening.unit_price IS NOT NULL AND period.net_sales > 0 AS is_known
  FROM inventory_kpi.window_28d AS period
  LEFT JOIN inventory_kpi.stock_daily AS opening
    ON opening.business_date = DATE_SUB(period.business_date, INTERVAL 28 DAY)
    AND opening.sku = period.sku
    AND opening.location_code = period.location_code
    AND opening.is_stocked
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(is_known, opening_value, NULL) AS numerator,
  IF(is_known, net_sales, NULL) AS denominator,
  IF(is_known, opening_value / net_sales, NULL) AS value,
  CASE
    WHEN NOT has_opening THEN 'missing_days'
    WHEN on_hand IS NULL THEN 'stale'
    WHEN sales_days = 0 THEN 'missing_sales'
    WHEN unit_price IS NULL OR net_sales IS NULL THEN 'no_price'
    WHEN net_sales <= 0 THEN 'no_demand'
  END AS reason_code,
  100 * observed_days / listed_days AS coverage_pct
FROM opened
