/*
title: Net sales
description: >
  Sales of a day net of returns, in the base currency, at every location that sells, with or without a stock balance. A
  sale without a net amount is left out and lowers the coverage. A day without sales has no row.
meaning: "Net sales of the day were {value}."
french:
  title: "Ventes nettes"
  description: >
    Ventes du jour, retours déduits, dans la devise de base, dans chaque emplacement qui vend, avec ou sans stock
    connu. Une vente sans montant net est exclue et baisse la couverture. Un jour sans vente n'a pas de ligne.
  meaning: "Les ventes nettes du jour sont de {value}."
formula: sum of the net amounts of sales and returns
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
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, net_sales: 12, units_moved: 4, amount_units: 3}
        - {business_date: 2026-09-01, sku: A, location_code: WEB, is_stocked: false, units_moved: 1, amount_units: 0}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, net_sales: 0, units_moved: 0}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, value: 12, coverage_pct: 75}
      - {business_date: 2026-09-01, sku: A, location_code: WEB, value: null, reason_code: no_price, coverage_pct: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  net_sales AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  net_sales AS value,
  IF(net_sales IS NULL, 'no_price', NULL) AS reason_code,
  100 * amount_units / units_moved AS coverage_pct
FROM inventory_kpi.stock_daily
WHERE units_moved > 0
