-- Sales: typed, in the base unit and the base currency. One row per accepted line.
WITH worded AS (
  -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
  SELECT accepted.* REPLACE (
    inventory_curated.to_word(unit) AS unit,
    inventory_curated.to_word(currency) AS currency
  )
  FROM inventory_raw.sales_accepted AS accepted
),
coded AS (
  SELECT worded.* REPLACE (
    COALESCE(inventory_curated.to_code(currency), inventory_curated.base_currency()) AS currency
  )
  FROM worded
),
bare AS (
  SELECT coded.* REPLACE (
    inventory_curated.bare_amount(net_amount, currency) AS net_amount,
    inventory_curated.bare_amount(gross_amount, currency) AS gross_amount
  )
  FROM coded
),
stated AS (
  SELECT
    inventory_curated.to_code(receipt_number) AS receipt_number,
    inventory_curated.to_integer(line_number, _decimal) AS line_number,
    inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
    COALESCE(inventory_curated.to_code(till_number), '') AS till_number,
    inventory_curated.to_timestamp(sold_at, _date_order, _time_zone) AS sold_at,
    inventory_curated.to_code(sku) AS sku,
    inventory_curated.to_code(location_code) AS location_code,
    inventory_curated.to_number(quantity, _decimal) AS quantity,
    inventory_curated.to_unit(unit) AS stated_unit,
    inventory_curated.to_number(net_amount, _decimal) AS stated_net_amount,
    inventory_curated.to_number(gross_amount, _decimal) AS stated_gross_amount,
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
  receipt_number,
  line_number,
  business_date,
  till_number,
  sold_at,
  sku,
  location_code,
  SAFE_MULTIPLY(quantity, factor) AS quantity,
  base_unit AS unit,
  ROUND(SAFE_MULTIPLY(stated_net_amount, rate), 6) AS net_amount,
  ROUND(SAFE_MULTIPLY(stated_gross_amount, rate), 6) AS gross_amount,
  inventory_curated.base_currency() AS currency,
  stated_unit,
  stated_net_amount,
  stated_gross_amount,
  stated_currency,
  _load_id,
  _row,
  _line,
  _landed_at AS _business_time,
  _generation,
  CASE
    WHEN factor IS NULL
      THEN CONCAT('unknown_unit_factor|unit|', stated_unit, '|units_per_pack of ', COALESCE(sku, '?'), ' in ', stated_unit)
    WHEN rate IS NULL AND COALESCE(stated_net_amount, stated_gross_amount) IS NOT NULL
      THEN CONCAT('unknown_exchange_rate|currency|', stated_currency, '|a rate of at most 7 days before ', CAST(business_date AS STRING))
  END AS _issue
FROM converted
