-- Purchase order lines: typed, in the base unit; costs at the rate of the day of the order.
-- The newest statement (updated_at) wins; a blank status is worked out from the quantities.
WITH worded AS (
  -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
  SELECT accepted.* REPLACE (
    inventory_curated.to_word(unit) AS unit,
    inventory_curated.to_word(currency) AS currency
  )
  FROM inventory_raw.purchase_orders_accepted AS accepted
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
    inventory_curated.to_code(order_number) AS order_number,
    inventory_curated.to_integer(line_number, _decimal) AS line_number,
    inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
    inventory_curated.to_code(supplier_code) AS supplier_code,
    inventory_curated.to_code(sku) AS sku,
    inventory_curated.to_code(location_code) AS location_code,
    inventory_curated.to_number(ordered_quantity, _decimal) AS ordered_quantity,
    inventory_curated.to_unit(unit) AS stated_unit,
    inventory_curated.to_number(unit_cost, _decimal) AS stated_unit_cost,
    currency AS stated_currency,
    inventory_curated.to_date(promised_date, _date_order, _time_zone) AS promised_date,
    inventory_curated.to_date(received_date, _date_order, _time_zone) AS received_date,
    inventory_curated.to_number(received_quantity, _decimal) AS received_quantity,
    inventory_curated.to_number(rejected_quantity, _decimal) AS rejected_quantity,
    inventory_curated.to_number(cancelled_quantity, _decimal) AS cancelled_quantity,
    inventory_curated.to_word(status) AS status,
    inventory_curated.to_timestamp(updated_at, _date_order, _time_zone) AS updated_at,
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
  order_number,
  line_number,
  business_date,
  supplier_code,
  sku,
  location_code,
  SAFE_MULTIPLY(ordered_quantity, factor) AS ordered_quantity,
  base_unit AS unit,
  ROUND(SAFE_DIVIDE(SAFE_MULTIPLY(stated_unit_cost, rate), factor), 6) AS unit_cost,
  inventory_curated.base_currency() AS currency,
  promised_date,
  received_date,
  SAFE_MULTIPLY(received_quantity, factor) AS received_quantity,
  SAFE_MULTIPLY(rejected_quantity, factor) AS rejected_quantity,
  SAFE_MULTIPLY(cancelled_quantity, factor) AS cancelled_quantity,
  CASE
    WHEN status IS NOT NULL THEN inventory_curated.order_status(status)
    WHEN received_quantity >= ordered_quantity THEN 'received'
    WHEN received_quantity > 0 THEN 'partial'
    ELSE 'open'
  END AS status,
  updated_at,
  stated_unit,
  stated_unit_cost,
  stated_currency,
  _load_id,
  _row,
  _line,
  LEAST(COALESCE(updated_at, _landed_at), _landed_at) AS _business_time,
  _generation,
  CASE
    WHEN factor IS NULL
      THEN CONCAT('unknown_unit_factor|unit|', stated_unit, '|units_per_pack of ', COALESCE(sku, '?'), ' in ', stated_unit)
    WHEN rate IS NULL AND stated_unit_cost IS NOT NULL
      THEN CONCAT('unknown_exchange_rate|currency|', stated_currency, '|a rate of at most 7 days before ', CAST(business_date AS STRING))
  END AS _issue
FROM converted
