/*
kind: base
title: Unmatched stock and sales
description: >
  Sales and stated balances that match no product, no location or (sales only) no stock balance on their day, with units
  and amounts. They show what to add to the master data, and which locations sell without sending stock.
french:
  title: "Stocks et ventes sans correspondance"
  description: >
    Ventes et stocks relevés qui ne correspondent à aucun produit, à aucun emplacement ou (ventes seulement) à aucun
    stock ce jour-là, avec unités et montants. Ils montrent ce qu'il faut ajouter aux référentiels, et quels
    emplacements vendent sans envoyer leur stock.
formula: sales and balances of a day without a master, and sales without a balance
grain: [sku, location_code]
owner: inventory-data
lookback_days: 0
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, days_since_balance: 0, on_hand: 5, units_sold: 1, units_moved: 1}
        - {business_date: 2026-09-01, sku: A, location_code: WEB, is_stocked: false, units_sold: 2, units_moved: 2, net_sales: 20}
        - {business_date: 2026-09-01, sku: X, location_code: P1, is_stocked: true, days_since_balance: 0, on_hand: 5, units_sold: 0, units_moved: 0}
        - {business_date: 2026-09-02, sku: X, location_code: P1, is_stocked: true, days_since_balance: 1, on_hand: 5, units_sold: 0, units_moved: 0}
      inventory_curated.products:
        - {sku: A}
      inventory_curated.locations:
        - {location_code: P1}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: WEB, without_product: false, without_location: true, without_balance: true, units_sold: 2, net_sales: 20}
      - {business_date: 2026-09-01, sku: X, location_code: P1, without_product: true, without_location: false, without_balance: false, on_hand: 5}
*/
SELECT
  fact.business_date,
  fact.sku,
  fact.location_code,
  product.sku IS NULL AS without_product,
  location.location_code IS NULL AS without_location,
  NOT fact.is_stocked AS without_balance,
  fact.units_sold,
  fact.net_sales,
  fact.on_hand,
  fact.stock_value
FROM inventory_kpi.stock_daily AS fact
LEFT JOIN inventory_curated.products AS product ON product.sku = fact.sku
LEFT JOIN inventory_curated.locations AS location ON location.location_code = fact.location_code
WHERE (fact.units_moved > 0 OR fact.days_since_balance = 0)
  AND (product.sku IS NULL OR location.location_code IS NULL OR NOT fact.is_stocked)
