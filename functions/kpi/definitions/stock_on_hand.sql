/*
title: Stock on hand
description: Units in stock at each location, in the base unit. Negative stock is kept. After the last balance it moves with the movements and sales that are known.
meaning: "{value} units are in stock across stores and warehouses."
french:
  title: "Stock physique"
  description: >
    Unités en stock dans chaque emplacement, dans l'unité de base. Un stock négatif est gardé. Après le dernier
    relevé, il suit les mouvements et les ventes connus.
  meaning: "{value} unités sont en stock dans les magasins et entrepôts."
formula: last known balance + movements - sales since then, for the days that the contract allows
source: SAP and Odoo practice
unit: units
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
direction: none
rollup: sum
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, category: tools, on_hand: 10, is_stale: false}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, category: tools, is_stale: true}
        - {business_date: 2026-09-01, sku: C, location_code: WEB, is_stocked: false, units_sold: 4}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, value: 10, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-01, sku: B, location_code: P1, value: null, reason_code: stale, coverage_pct: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  on_hand AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  on_hand AS value,
  IF(on_hand IS NULL, 'stale', NULL) AS reason_code,
  IF(on_hand IS NULL, 0.0, 100.0) AS coverage_pct
FROM inventory_kpi.stock_daily
WHERE is_stocked
