-- Stock movements: typed and signed (+ into the location), in the base unit; costs at the rate of the posting date.
WITH worded AS (
  -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
  SELECT accepted.* REPLACE (
    inventory_curated.to_word(unit) AS unit,
    inventory_curated.to_word(currency) AS currency
  )
  FROM inventory_raw.stock_movements_accepted AS accepted
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
    inventory_curated.to_code(document) AS document,
    inventory_curated.to_integer(line_number, _decimal) AS line_number,
    inventory_curated.to_code(document_year) AS document_year,
    inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
    inventory_curated.to_date(entry_date, _date_order, _time_zone) AS entry_date,
    inventory_curated.to_word(movement_type) AS movement_type,
    inventory_curated.to_code(sku) AS sku,
    inventory_curated.to_code(location_code) AS location_code,
    inventory_curated.to_code(counterpart_location) AS counterpart_location,
    inventory_curated.to_number(quantity, _decimal) AS quantity,
    inventory_curated.to_unit(unit) AS stated_unit,
    inventory_curated.to_number(unit_cost, _decimal) AS stated_unit_cost,
    currency AS stated_currency,
    inventory_curated.to_text(reason) AS reason,
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
    inventory_curated.movement_quantity(stated.movement_type, stated.quantity) AS signed_quantity,
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
  document,
  line_number,
  COALESCE(document_year, CAST(EXTRACT(YEAR FROM business_date) AS STRING)) AS document_year,
  business_date,
  entry_date,
  inventory_curated.movement_type(movement_type) AS movement_type,
  sku,
  location_code,
  counterpart_location,
  SAFE_MULTIPLY(signed_quantity, factor) AS quantity,
  base_unit AS unit,
  ROUND(SAFE_DIVIDE(SAFE_MULTIPLY(stated_unit_cost, rate), factor), 6) AS unit_cost,
  inventory_curated.base_currency() AS currency,
  reason,
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
