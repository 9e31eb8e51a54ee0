/*
kind: base
title: Stock and sales by day
description: >
  The balance by day with what it is worth and what was sold; also what was sold where no balance is known (a web shop,
  consignment, a store that sends sales only): there `is_stocked` is false. Unit cost is the balance's own, else the
  product's on that day. A day without sales has 0 units, but where sales are missing (see missing_sales) they are unknown
  (NULL); sales without a net amount have no amount (NULL), and no margin.
french:
  title: "Stock et ventes par jour"
  description: >
    Le stock par jour avec sa valeur et ce qui a été vendu ; aussi ce qui a été vendu là où aucun stock n'est connu
    (boutique en ligne, dépôt-vente, magasin qui n'envoie que ses ventes) : `is_stocked` y est faux. Le coût
    unitaire est celui du stock relevé, sinon celui du produit ce jour-là. Un jour sans vente compte 0 unité, mais
    là où les ventes manquent (voir missing_sales) elles sont inconnues (NULL) ; des ventes sans montant net n'ont
    pas de montant (NULL), ni de marge.
formula: stock value = units x unit cost; cost of goods sold = units sold x unit cost; margin = net sales - cost of the units that have a net amount
grain: [sku, location_code]
owner: inventory-data
lookback_days: 0
examples:
  - given:
      inventory_kpi.balance_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10, available: 9, days_since_balance: 0, is_stale: false}
        - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: 7, balance_cost: 3, is_stale: false}
        - {business_date: 2026-09-02, sku: B, location_code: P1, on_hand: 7, is_stale: false}
        - {business_date: 2026-09-03, sku: A, location_code: P2, on_hand: 7, is_stale: false}
      inventory_kpi.missing_sales:
        - {business_date: 2026-09-03, location_code: P2}
      inventory_curated.products:
        - {sku: A, category: tools, supplier_code: S1, unit_cost: 2, unit_price: 5}
      inventory_curated.sales:
        - {receipt_number: "1", line_number: 1, business_date: 2026-09-02, sku: A, location_code: P1, quantity: 3, net_amount: 12}
        - {receipt_number: "2", line_number: 1, business_date: 2026-09-02, sku: A, location_code: P1, quantity: -1}
        - {receipt_number: "3", line_number: 1, business_date: 2026-09-02, sku: B, location_code: P1, quantity: 1, net_amount: 1}
        - {receipt_number: "4", line_number: 1, business_date: 2026-09-02, sku: A, location_code: WEB, quantity: 4, net_amount: 20}
        - {receipt_number: "5", line_number: 1, business_date: 2026-09-03, sku: A, location_code: P1, quantity: 1}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, category: tools, is_stocked: true, on_hand: 10, available: 9, units_sold: 0, net_sales: 0, cogs: 0, gross_margin: 0, stock_value: 20}
      - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: 7, units_sold: 2, net_sales: 12, unit_cost: 3, cogs: 6, gross_margin: 3, units_moved: 4, margin_units: 3, stock_value: 21}
      - {business_date: 2026-09-02, sku: B, location_code: P1, on_hand: 7, units_sold: 1, unit_cost: null, cogs: null, gross_margin: null, margin_units: 0, stock_value: null}
      - {business_date: 2026-09-02, sku: A, location_code: WEB, category: tools, is_stocked: false, on_hand: null, units_sold: 4, cogs: 8, gross_margin: 12}
      - {business_date: 2026-09-03, sku: A, location_code: P2, on_hand: 7, units_sold: null, net_sales: null, cogs: null, gross_margin: null, units_moved: 0, stock_value: 14}
      - {business_date: 2026-09-03, sku: A, location_code: P1, is_stocked: false, units_sold: 1, net_sales: null, gross_margin: null, margin_units: 0}
  - given:
      inventory_kpi.balance_daily:
        - {business_date: 2026-08-31, sku: A, location_code: P1, on_hand: 10}
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10}
      inventory_curated.products:
        - {sku: A, category: garden, unit_cost: 4, updated_at: 2026-09-01 08:00:00+00}
      inventory_curated.products_history:
        - {sku: A, category: tools, unit_cost: 3, updated_at: 2026-03-01 08:00:00+00, _business_time: 2026-03-01 08:00:00+00, _generation: 1, _line: 2}
        - {sku: A, category: garden, unit_cost: 4, updated_at: 2026-09-01 08:00:00+00, _business_time: 2026-09-01 08:00:00+00, _generation: 2, _line: 2}
    expect:
      - {business_date: 2026-08-31, sku: A, category: tools, unit_cost: 3, stock_value: 30}
      - {business_date: 2026-09-01, sku: A, category: garden, unit_cost: 4, stock_value: 40}
*/
WITH sold AS (
  SELECT
    business_date,
    sku,
    location_code,
    SUM(CAST(quantity AS FLOAT64)) AS units_sold,
    SUM(CAST(net_amount AS FLOAT64)) AS net_sales,
    SUM(CAST(ABS(quantity) AS FLOAT64)) AS units_moved,
    SUM(IF(net_amount IS NULL, 0, CAST(quantity AS FLOAT64))) AS units_with_amount,
    SUM(IF(net_amount IS NULL, 0, CAST(ABS(quantity) AS FLOAT64))) AS moved_with_amount
  FROM inventory_curated.sales
  GROUP BY business_date, sku, location_code
),
traded AS (
  SELECT
    COALESCE(balance.business_date, sold.business_date) AS business_date,
    COALESCE(balance.sku, sold.sku) AS sku,
    COALESCE(balance.location_code, sold.location_code) AS location_code,
    balance.sku IS NOT NULL AS is_stocked,
    COALESCE(balance.is_listed, FALSE) AS is_listed,
    balance.days_since_balance,
    balance.is_stale,
    balance.is_book,
    balance.on_hand,
    balance.available,
    balance.balance_cost,
    IF(sold.sku IS NULL, IF(missing.location_code IS NULL, 0, NULL), sold.units_sold) AS units_sold,
    IF(sold.sku IS NULL, IF(missing.location_code IS NULL, 0, NULL), sold.net_sales) AS net_sales,
    COALESCE(sold.units_moved, 0) AS units_moved,
    COALESCE(sold.units_with_amount, 0) AS units_with_amount,
    COALESCE(sold.moved_with_amount, 0) AS moved_with_amount
  FROM inventory_kpi.balance_daily AS balance
  FULL OUTER JOIN sold
    ON sold.business_date = balance.business_date
    AND sold.sku = balance.sku
    AND sold.location_code = balance.location_code
  LEFT JOIN inventory_kpi.missing_sales AS missing
    ON missing.business_date = balance.business_date
    AND missing.location_code = balance.location_code
),
priced AS (
  SELECT
    traded.*,
    COALESCE(traded.balance_cost, CAST(product.unit_cost AS FLOAT64)) AS unit_cost,
    CAST(product.unit_price AS FLOAT64) AS unit_price,
    product.category,
    product.supplier_code
  FROM traded
  LEFT JOIN inventory_curated.products_by_day AS product
    ON product.sku = traded.sku
    AND traded.business_date BETWEEN product.valid_from AND product.valid_to
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  supplier_code,
  is_stocked,
  is_listed,
  is_book,
  is_stale,
  days_since_balance,
  on_hand,
  available,
  unit_cost,
  unit_price,
  on_hand * unit_cost AS stock_value,
  units_sold,
  net_sales,
  units_sold * unit_cost AS cogs,
  IF(units_moved = 0, IF(units_sold IS NULL, NULL, 0), net_sales - units_with_amount * unit_cost) AS gross_margin,
  units_moved,
  moved_with_amount AS amount_units,
  IF(net_sales IS NULL OR unit_cost IS NULL, 0, moved_with_amount) AS margin_units
FROM priced
