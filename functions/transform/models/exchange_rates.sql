-- Exchange rates: units of the base currency for one unit of a currency, at the close of a day. A rate that is quoted for
-- one unit of the base currency (`per_currency`), as central banks do, is inverted.
WITH stated AS (
  SELECT
    inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
    inventory_curated.to_code(inventory_curated.to_word(currency)) AS currency,
    inventory_curated.to_number(rate_to_base, _decimal) AS stated_rate,
    inventory_curated.to_code(inventory_curated.to_word(per_currency)) AS per_currency,
    _load_id,
    _row,
    _line,
    _generation,
    _landed_at
  FROM inventory_raw.exchange_rates_accepted
),
turned AS (
  SELECT
    stated.*,
    CASE
      WHEN COALESCE(per_currency, currency) = currency THEN stated_rate
      WHEN per_currency = inventory_curated.base_currency() THEN SAFE_DIVIDE(NUMERIC '1', stated_rate)
    END AS rate_to_base
  FROM stated
)
SELECT
  business_date,
  currency,
  rate_to_base,
  per_currency,
  _load_id,
  _row,
  _line,
  _landed_at AS _business_time,
  _generation,
  CASE
    WHEN per_currency NOT IN (currency, inventory_curated.base_currency())
      THEN CONCAT('unknown_quotation|per_currency|', per_currency, '|', inventory_curated.base_currency(), ' or ', currency)
    WHEN currency = inventory_curated.base_currency() AND rate_to_base != 1
      THEN CONCAT('base_currency_rate|rate_to_base|', CAST(stated_rate AS STRING), '|1, or rates of other currencies')
    WHEN rate_to_base > 1000
      THEN CONCAT('rate_out_of_range|rate_to_base|', CAST(stated_rate AS STRING), '|at most 1000 ',
        inventory_curated.base_currency(), ' for one unit; quoted for one ', inventory_curated.base_currency(),
        ', say so in per_currency')
  END AS _issue
FROM turned
