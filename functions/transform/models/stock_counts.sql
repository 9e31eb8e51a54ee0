-- Stock counts: typed, in the base unit. The later count of a day wins; a blank book quantity is a blind count.
WITH stated AS (
  SELECT
    inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
    inventory_curated.to_code(sku) AS sku,
    inventory_curated.to_code(location_code) AS location_code,
    inventory_curated.to_timestamp(counted_at, _date_order, _time_zone) AS counted_at,
    inventory_curated.to_number(counted_quantity, _decimal) AS counted_quantity,
    inventory_curated.to_number(book_quantity, _decimal) AS book_quantity,
    inventory_curated.to_unit(inventory_curated.to_word(unit)) AS stated_unit,
    inventory_curated.to_text(counted_by) AS counted_by,
    _load_id,
    _row,
    _line,
    _generation,
    _landed_at
  FROM inventory_raw.stock_counts_accepted
),
converted AS (
  SELECT
    stated.*,
    COALESCE(product.base_unit, 'EA') AS base_unit,
    inventory_curated.unit_factor(
      stated.stated_unit, product.base_unit, product.pack_unit, product.units_per_pack
    ) AS factor
  FROM stated
  LEFT JOIN inventory_curated.products_by_day AS product
    ON product.sku = stated.sku AND stated.business_date BETWEEN product.valid_from AND product.valid_to
)
SELECT
  business_date,
  sku,
  location_code,
  counted_at,
  SAFE_MULTIPLY(counted_quantity, factor) AS counted_quantity,
  SAFE_MULTIPLY(book_quantity, factor) AS book_quantity,
  base_unit AS unit,
  counted_by,
  stated_unit,
  _load_id,
  _row,
  _line,
  LEAST(COALESCE(counted_at, _landed_at), _landed_at) AS _business_time,
  _generation,
  CASE
    WHEN factor IS NULL
      THEN CONCAT('unknown_unit_factor|unit|', stated_unit, '|units_per_pack of ', COALESCE(sku, '?'), ' in ', stated_unit)
  END AS _issue
FROM converted
