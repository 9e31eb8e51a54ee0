-- Suppliers: typed.
WITH stated AS (
  SELECT
    inventory_curated.to_code(supplier_code) AS supplier_code,
    inventory_curated.to_text(name) AS name,
    inventory_curated.to_code(inventory_curated.to_word(country)) AS country,
    inventory_curated.to_code(inventory_curated.to_word(currency)) AS currency,
    inventory_curated.to_text(contact_name) AS contact_name,
    inventory_curated.to_text(email) AS email,
    inventory_curated.to_text(phone) AS phone,
    inventory_curated.to_integer(payment_terms_days, _decimal) AS payment_terms_days,
    inventory_curated.to_timestamp(updated_at, _date_order, _time_zone) AS updated_at,
    _load_id,
    _row,
    _line,
    _generation,
    _landed_at
  FROM inventory_raw.suppliers_accepted
)
SELECT
  supplier_code,
  name,
  country,
  currency,
  contact_name,
  email,
  phone,
  payment_terms_days,
  updated_at,
  _load_id,
  _row,
  _line,
  LEAST(COALESCE(updated_at, _landed_at), _landed_at) AS _business_time,
  _generation,
  CAST(NULL AS STRING) AS _issue
FROM stated
