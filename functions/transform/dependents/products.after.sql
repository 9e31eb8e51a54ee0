-- The days on which the pack or the base unit of a product is another one now.
CREATE TEMP TABLE repacked AS
WITH packs_now AS (
  SELECT by_day.sku, by_day.valid_from, by_day.valid_to, by_day.base_unit, by_day.pack_unit, by_day.units_per_pack
  FROM inventory_curated.products_by_day AS by_day
  JOIN touched ON touched.sku = by_day.sku
)
SELECT
  now.sku,
  GREATEST(now.valid_from, was.valid_from) AS first_day,
  LEAST(now.valid_to, was.valid_to) AS last_day,
  now.base_unit
FROM packs_now AS now
JOIN packs_before AS was
  ON was.sku = now.sku AND was.valid_from <= now.valid_to AND now.valid_from <= was.valid_to
WHERE now.base_unit IS DISTINCT FROM was.base_unit
  OR now.pack_unit IS DISTINCT FROM was.pack_unit
  OR now.units_per_pack IS DISTINCT FROM was.units_per_pack
UNION ALL
SELECT sku, valid_from, valid_to, base_unit FROM packs_now WHERE sku NOT IN (SELECT sku FROM packs_before)
UNION ALL
SELECT sku, valid_from, valid_to, CAST(NULL AS STRING)
FROM packs_before
WHERE sku NOT IN (SELECT sku FROM packs_now);
