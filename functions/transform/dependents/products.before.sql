-- What was said of the touched products, by day, before these loads.
CREATE TEMP TABLE products_before AS
SELECT by_day.*
FROM inventory_curated.products_by_day AS by_day
JOIN touched ON touched.sku = by_day.sku;
