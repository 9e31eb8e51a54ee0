-- What is said of them now, and where it differs: a late statement changes days of the past, and not the current row.
CREATE TEMP TABLE products_after AS
SELECT by_day.*
FROM inventory_curated.products_by_day AS by_day
JOIN touched ON touched.sku = by_day.sku;

CREATE TEMP TABLE changed_by_day AS
SELECT column_name, MIN(GREATEST(now.valid_from, was.valid_from)) AS first_day
FROM products_after AS now
JOIN products_before AS was
  ON was.sku = now.sku AND was.valid_from <= now.valid_to AND now.valid_from <= was.valid_to
CROSS JOIN UNNEST([
  IF(now.category IS DISTINCT FROM was.category, 'category', NULL),
  IF(now.supplier_code IS DISTINCT FROM was.supplier_code, 'supplier_code', NULL),
  IF(now.base_unit IS DISTINCT FROM was.base_unit, 'base_unit', NULL),
  IF(now.pack_unit IS DISTINCT FROM was.pack_unit, 'pack_unit', NULL),
  IF(now.units_per_pack IS DISTINCT FROM was.units_per_pack, 'units_per_pack', NULL),
  IF(now.unit_cost IS DISTINCT FROM was.unit_cost, 'unit_cost', NULL),
  IF(now.unit_price IS DISTINCT FROM was.unit_price, 'unit_price', NULL)
]) AS column_name
WHERE column_name IS NOT NULL
GROUP BY column_name;

-- The days on which the pack or the base unit of a product is another one now.
CREATE TEMP TABLE repacked AS
SELECT
  now.sku,
  GREATEST(now.valid_from, was.valid_from) AS first_day,
  LEAST(now.valid_to, was.valid_to) AS last_day,
  now.base_unit
FROM products_after AS now
JOIN products_before AS was
  ON was.sku = now.sku AND was.valid_from <= now.valid_to AND now.valid_from <= was.valid_to
WHERE now.base_unit IS DISTINCT FROM was.base_unit
  OR now.pack_unit IS DISTINCT FROM was.pack_unit
  OR now.units_per_pack IS DISTINCT FROM was.units_per_pack
UNION ALL
SELECT sku, valid_from, valid_to, base_unit FROM products_after WHERE sku NOT IN (SELECT sku FROM products_before)
UNION ALL
SELECT sku, valid_from, valid_to, CAST(NULL AS STRING)
FROM products_before
WHERE sku NOT IN (SELECT sku FROM products_after);
