-- Exchange rates: units of the base currency for one unit of a currency, at the close of a day.
WITH stated AS (
  SELECT
    inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
    inventory_curated.to_code(inventory_curated.to_word(currency)) AS currency,
    inventory_curated.to_number(rate_to_base, _decimal) AS rate_to_base,
    _load_id,
    _row,
    _line,
    _generation,
    _landed_at
  FROM inventory_raw.exchange_rates_accepted
)
SELECT
  business_date,
  currency,
  rate_to_base,
  _load_id,
  _row,
  _line,
  _landed_at AS _business_time,
  _generation,
  CAST(NULL AS STRING) AS _issue
FROM stated
