/*
kind: base
title: Goods receipts
description: >
  The goods receipts among the stock movements, and what reversed them (a negative quantity): the few columns and rows that
  the age of stock needs of ten years. Transfers are not receipts.
french:
  title: "Réceptions de marchandise"
  description: >
    Les réceptions de marchandise parmi les mouvements de stock, et leurs annulations (unités négatives) : les quelques
    colonnes et lignes dont l'ancienneté du stock a besoin sur dix ans. Les transferts ne sont pas des réceptions.
formula: movements of type receipt with a quantity
grain: [document, line_number]
owner: inventory-data
lookback_days: 0
examples:
  - given:
      inventory_curated.stock_movements:
        - {document: "1", line_number: 1, business_date: 2026-09-01, movement_type: receipt, sku: A, location_code: P1, quantity: 10}
        - {document: "1", line_number: 2, business_date: 2026-09-01, movement_type: receipt, sku: B, location_code: P1, quantity: 0}
        - {document: "2", line_number: 1, business_date: 2026-09-02, movement_type: receipt, sku: A, location_code: P1, quantity: -10}
        - {document: "3", line_number: 1, business_date: 2026-09-02, movement_type: transfer_in, sku: A, location_code: P2, quantity: 5}
    expect:
      - {business_date: 2026-09-01, document: "1", line_number: 1, sku: A, location_code: P1, quantity: 10}
      - {business_date: 2026-09-02, document: "2", line_number: 1, sku: A, quantity: -10}
*/
SELECT business_date, document, line_number, sku, location_code, quantity
FROM inventory_curated.stock_movements
WHERE movement_type = 'receipt' AND quantity != 0
