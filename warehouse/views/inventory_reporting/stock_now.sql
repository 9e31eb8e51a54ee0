-- Stock on the newest day, one row for each SKU and location. There is one date only, so a sum is always right.
SELECT
  stock.business_date AS as_of,
  stock.sku,
  product.name AS product_name,
  stock.category,
  stock.location_code,
  location.name AS location_name,
  location.city AS location_city,
  location.country AS location_country,
  stock.value AS units,
  worth.value AS stock_value,
  IF(shelf.numerator = 1, 1, 0) AS is_out_of_stock,
  shelf.denominator AS is_observed,
  supply.numerator AS supply_units,
  supply.denominator AS daily_demand,
  dead.numerator AS dead_value,
  COALESCE(stock.reason_code, worth.reason_code) AS reason_code
FROM inventory_kpi.stock_on_hand AS stock
LEFT JOIN inventory_kpi.stock_value AS worth
  ON worth.business_date = stock.business_date AND worth.sku = stock.sku AND worth.location_code = stock.location_code
LEFT JOIN inventory_kpi.stockout_rate AS shelf
  ON shelf.business_date = stock.business_date AND shelf.sku = stock.sku AND shelf.location_code = stock.location_code
LEFT JOIN inventory_kpi.days_of_supply AS supply
  ON supply.business_date = stock.business_date
  AND supply.sku = stock.sku
  AND supply.location_code = stock.location_code
LEFT JOIN inventory_kpi.dead_stock AS dead
  ON dead.business_date = stock.business_date AND dead.sku = stock.sku AND dead.location_code = stock.location_code
LEFT JOIN inventory_curated.products AS product ON product.sku = stock.sku
LEFT JOIN inventory_curated.locations AS location ON location.location_code = stock.location_code
WHERE stock.business_date = (SELECT MAX(business_date) FROM inventory_kpi.stock_on_hand)
