-- Products: typed, units by their usual codes, costs and prices in the base currency at the rate of the day. A product
-- whose currency has no rate is kept without its cost and price: _unvalued says why.
WITH worded AS (
  -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
  SELECT accepted.* REPLACE (
    inventory_curated.to_word(base_unit) AS base_unit,
    inventory_curated.to_word(pack_unit) AS pack_unit,
    inventory_curated.to_word(currency) AS currency
  )
  FROM inventory_raw.products_accepted AS accepted
),
coded AS (
  SELECT worded.* REPLACE (
    COALESCE(inventory_curated.to_code(currency), inventory_curated.base_currency()) AS currency
  )
  FROM worded
),
bare AS (
  SELECT coded.* REPLACE (
    inventory_curated.bare_amount(unit_cost, currency) AS unit_cost,
    inventory_curated.bare_amount(unit_price, currency) AS unit_price
  )
  FROM coded
),
stated AS (
  SELECT
    inventory_curated.to_code(sku) AS sku,
    inventory_curated.to_text(name) AS name,
    inventory_curated.to_text(category) AS category,
    inventory_curated.to_text(brand) AS brand,
    inventory_curated.to_gtin(gtin) AS gtin,
    inventory_curated.to_unit(base_unit) AS base_unit,
    inventory_curated.to_unit(pack_unit) AS pack_unit,
    inventory_curated.to_number(units_per_pack, _decimal) AS units_per_pack,
    inventory_curated.to_number(unit_cost, _decimal) AS stated_unit_cost,
    inventory_curated.to_number(unit_price, _decimal) AS stated_unit_price,
    currency AS stated_currency,
    inventory_curated.to_integer(lead_time_days, _decimal) AS lead_time_days,
    inventory_curated.to_code(supplier_code) AS supplier_code,
    inventory_curated.to_date(listed_from, _date_order, _time_zone) AS listed_from,
    inventory_curated.to_date(delisted_on, _date_order, _time_zone) AS delisted_on,
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
    IF(stated.stated_currency = inventory_curated.base_currency(), NUMERIC '1', day.rate_to_base) AS rate
  FROM stated
  LEFT JOIN inventory_curated.daily_rates AS day
    ON day.currency = stated.stated_currency AND day.business_date = DATE(LEAST(COALESCE(stated.updated_at, stated._landed_at), stated._landed_at))
)
SELECT
  sku,
  name,
  category,
  brand,
  gtin,
  COALESCE(base_unit, 'EA') AS base_unit,
  pack_unit,
  units_per_pack,
  ROUND(SAFE_MULTIPLY(stated_unit_cost, rate), 6) AS unit_cost,
  ROUND(SAFE_MULTIPLY(stated_unit_price, rate), 6) AS unit_price,
  inventory_curated.base_currency() AS currency,
  lead_time_days,
  supplier_code,
  listed_from,
  delisted_on,
  updated_at,
  stated_unit_cost,
  stated_unit_price,
  stated_currency,
  _load_id,
  _row,
  _line,
  LEAST(COALESCE(updated_at, _landed_at), _landed_at) AS _business_time,
  _generation,
  CASE
    WHEN rate IS NULL AND COALESCE(stated_unit_cost, stated_unit_price) IS NOT NULL
      THEN CONCAT('unknown_exchange_rate|currency|', stated_currency, '|a rate of at most 7 days before ', CAST(DATE(LEAST(COALESCE(updated_at, _landed_at), _landed_at)) AS STRING))
  END AS _unvalued,
  CAST(NULL AS STRING) AS _issue
FROM converted
