-- Stock snapshots: typed, in the base unit; costs per base unit at the closing rate of the day.
WITH worded AS (
  -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
  SELECT accepted.* REPLACE (
    inventory_curated.to_word(unit) AS unit,
    inventory_curated.to_word(currency) AS currency
  )
  FROM inventory_raw.stock_snapshots_accepted AS accepted
),
coded AS (
  SELECT worded.* REPLACE (
    COALESCE(inventory_curated.to_code(currency), inventory_curated.base_currency()) AS currency
  )
  FROM worded
),
bare AS (
  SELECT coded.* REPLACE (
    inventory_curated.bare_amount(unit_cost, currency) AS unit_cost
  )
  FROM coded
),
stated AS (
  SELECT
    inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
    inventory_curated.to_code(sku) AS sku,
    inventory_curated.to_code(location_code) AS location_code,
    inventory_curated.to_number(on_hand, _decimal) AS on_hand,
    inventory_curated.to_number(available, _decimal) AS available,
    inventory_curated.to_number(committed, _decimal) AS committed,
    inventory_curated.to_number(incoming, _decimal) AS incoming,
    inventory_curated.to_number(reorder_point, _decimal) AS reorder_point,
    inventory_curated.to_number(safety_stock, _decimal) AS safety_stock,
    inventory_curated.to_unit(unit) AS stated_unit,
    inventory_curated.to_number(unit_cost, _decimal) AS stated_unit_cost,
    currency AS stated_currency,
    _load_id,
    _row,
    _line,
    _generation,
    _landed_at
  FROM bare
),
converted AS (
  SELECT
    stated.*,
    COALESCE(product.base_unit, 'EA') AS base_unit,
    inventory_curated.unit_factor(
      stated.stated_unit, product.base_unit, product.pack_unit, product.units_per_pack
    ) AS factor,
    IF(stated.stated_currency = inventory_curated.base_currency(), NUMERIC '1', day.rate_to_base) AS rate
  FROM stated
  LEFT JOIN inventory_curated.products_by_day AS product
    ON product.sku = stated.sku AND stated.business_date BETWEEN product.valid_from AND product.valid_to
  LEFT JOIN inventory_curated.daily_rates AS day
    ON day.currency = stated.stated_currency AND day.business_date = stated.business_date
)
SELECT
  business_date,
  sku,
  location_code,
  SAFE_MULTIPLY(on_hand, factor) AS on_hand,
  SAFE_MULTIPLY(available, factor) AS available,
  SAFE_MULTIPLY(committed, factor) AS committed,
  SAFE_MULTIPLY(incoming, factor) AS incoming,
  SAFE_MULTIPLY(reorder_point, factor) AS reorder_point,
  SAFE_MULTIPLY(safety_stock, factor) AS safety_stock,
  base_unit AS unit,
  ROUND(SAFE_DIVIDE(SAFE_MULTIPLY(stated_unit_cost, rate), factor), 6) AS unit_cost,
  inventory_curated.base_currency() AS currency,
  stated_unit,
  stated_unit_cost,
  stated_currency,
  _load_id,
  _row,
  _line,
  _landed_at AS _business_time,
  _generation,
  CASE
    WHEN factor IS NULL
      THEN CONCAT('unknown_unit_factor|unit|', stated_unit, '|units_per_pack of ', COALESCE(sku, '?'), ' in ', stated_unit)
    WHEN rate IS NULL AND stated_unit_cost IS NOT NULL
      THEN CONCAT('unknown_exchange_rate|currency|', stated_currency, '|a rate of at most 7 days before ', CAST(business_date AS STRING))
  END AS _issue
FROM converted
