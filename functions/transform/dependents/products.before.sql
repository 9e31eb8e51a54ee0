-- What the touched products held in a pack, by day, before these loads.
CREATE TEMP TABLE packs_before AS
SELECT by_day.sku, by_day.valid_from, by_day.valid_to, by_day.base_unit, by_day.pack_unit, by_day.units_per_pack
FROM inventory_curated.products_by_day AS by_day
JOIN touched ON touched.sku = by_day.sku;
