/*
title: Gross margin
description: >
  Net sales of a day less the cost of the units sold, in the base currency, at every location that sells. A sale without
  a net amount or a known cost has no margin and lowers the coverage. A day without sales has no row.
meaning: "Gross margin of the day was {value}."
french:
  title: "Marge brute"
  description: >
    Ventes nettes du jour moins le coût des unités vendues, dans la devise de base, dans chaque emplacement qui
    vend. Une vente sans montant net ou sans coût connu n'a pas de marge et baisse la couverture. Un jour sans vente
    n'a pas de ligne.
  meaning: "La marge brute du jour est de {value}."
formula: sum of net amount - units x unit cost, over the sales whose amount and cost are known
source: retail practice
unit: EUR
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: up
rollup: sum
quantity: units_sold
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, unit_cost: 3, net_sales: 12, gross_margin: 3, units_moved: 4, margin_units: 3}
        - {business_date: 2026-09-01, sku: A, location_code: WEB, unit_cost: 3, units_moved: 1, margin_units: 0}
        - {business_date: 2026-09-01, sku: B, location_code: WEB, net_sales: 9, units_moved: 1, margin_units: 0}
        - {business_date: 2026-09-01, sku: C, location_code: P1, gross_margin: 0, units_moved: 0}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, value: 3, coverage_pct: 75}
      - {business_date: 2026-09-01, sku: A, location_code: WEB, value: null, reason_code: no_price, coverage_pct: 0}
      - {business_date: 2026-09-01, sku: B, location_code: WEB, value: null, reason_code: no_cost, coverage_pct: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  gross_margin AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  gross_margin AS value,
  CASE WHEN gross_margin IS NOT NULL THEN NULL WHEN unit_cost IS NULL THEN 'no_cost' ELSE 'no_price' END AS reason_code,
  100 * margin_units / units_moved AS coverage_pct
FROM inventory_kpi.stock_daily
WHERE units_moved > 0
