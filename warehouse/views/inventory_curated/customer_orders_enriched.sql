-- Customer order lines with what the dimensions say today: a dimension that lands late still enriches.
SELECT
  fact.*,
  product.name AS product_name,
  product.category,
  product.brand,
  location.name AS location_name,
  location.type AS location_type
FROM inventory_curated.customer_orders AS fact
LEFT JOIN inventory_curated.products AS product ON product.sku = fact.sku
LEFT JOIN inventory_curated.locations AS location ON location.location_code = fact.location_code
