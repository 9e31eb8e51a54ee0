-- Purchase order lines with what the dimensions say today: a dimension that lands late still enriches.
SELECT
  fact.*,
  product.name AS product_name,
  product.category,
  product.brand,
  location.name AS location_name,
  location.type AS location_type,
  supplier.name AS supplier_name
FROM inventory_curated.purchase_orders AS fact
LEFT JOIN inventory_curated.products AS product ON product.sku = fact.sku
LEFT JOIN inventory_curated.locations AS location ON location.location_code = fact.location_code
LEFT JOIN inventory_curated.suppliers AS supplier ON supplier.supplier_code = fact.supplier_code
