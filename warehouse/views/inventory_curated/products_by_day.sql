-- Products as they were known on each day: one row for each SKU and the days on which that statement was the newest.
-- A statement holds from the date of its updated_at; the first one also for all days before, so that a late master
-- still values what came before it; a pack, cost or price that was not stated yet is the next one that was. A statement
-- without updated_at corrects the one that is in force, from its start. The base unit is today's on all days: quantities
-- of all days are in it, and a pack that was stated in another one gives way to today's.
WITH dated AS (
  SELECT
    history.*,
    DATE(history.updated_at) AS stated_on
  FROM inventory_curated.products_history AS history
  WHERE history.updated_at IS NOT NULL AND history._replaced_by IS NULL
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY history.sku, DATE(history.updated_at)
    ORDER BY history._business_time DESC, history._generation DESC, history._line DESC
  ) = 1
),
spans AS (
  SELECT
    sku,
    stated_on,
    LAG(stated_on) OVER by_sku AS previous_on,
    LEAD(stated_on) OVER by_sku AS next_on,
    category,
    supplier_code,
    base_unit,
    FIRST_VALUE(IF(units_per_pack IS NULL, NULL, pack_unit) IGNORE NULLS) OVER from_then_on AS pack_unit,
    FIRST_VALUE(IF(pack_unit IS NULL, NULL, units_per_pack) IGNORE NULLS) OVER from_then_on AS units_per_pack,
    FIRST_VALUE(unit_cost IGNORE NULLS) OVER from_then_on AS unit_cost,
    FIRST_VALUE(unit_price IGNORE NULLS) OVER from_then_on AS unit_price
  FROM dated
  WINDOW
    by_sku AS (PARTITION BY sku ORDER BY stated_on),
    from_then_on AS (PARTITION BY sku ORDER BY stated_on ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
)
SELECT
  product.sku,
  IF(span.previous_on IS NULL, DATE '0001-01-01', span.stated_on) AS valid_from,
  COALESCE(DATE_SUB(span.next_on, INTERVAL 1 DAY), DATE '9999-12-31') AS valid_to,
  IF(span.next_on IS NULL, product.category, span.category) AS category,
  IF(span.next_on IS NULL, product.supplier_code, span.supplier_code) AS supplier_code,
  product.base_unit,
  IF(span.next_on IS NULL OR span.pack_unit IS NULL OR span.base_unit != product.base_unit, product.pack_unit, span.pack_unit) AS pack_unit,
  IF(span.next_on IS NULL OR span.pack_unit IS NULL OR span.base_unit != product.base_unit, product.units_per_pack, span.units_per_pack) AS units_per_pack,
  IF(span.next_on IS NULL, product.unit_cost, COALESCE(span.unit_cost, product.unit_cost)) AS unit_cost,
  IF(span.next_on IS NULL, product.unit_price, COALESCE(span.unit_price, product.unit_price)) AS unit_price
FROM inventory_curated.products AS product
LEFT JOIN spans AS span ON span.sku = product.sku
