-- Locations: typed, kinds of place by their four names.
WITH stated AS (
  SELECT
    inventory_curated.to_code(location_code) AS location_code,
    inventory_curated.to_text(name) AS name,
    inventory_curated.location_type(type) AS type,
    inventory_curated.to_text(city) AS city,
    inventory_curated.to_code(inventory_curated.to_word(country)) AS country,
    inventory_curated.to_gln(gln) AS gln,
    inventory_curated.to_date(opened_on, _date_order, _time_zone) AS opened_on,
    inventory_curated.to_date(closed_on, _date_order, _time_zone) AS closed_on,
    inventory_curated.to_timestamp(updated_at, _date_order, _time_zone) AS updated_at,
    _load_id,
    _row,
    _line,
    _generation,
    _landed_at
  FROM inventory_raw.locations_accepted
)
SELECT
  location_code,
  name,
  type,
  city,
  country,
  gln,
  opened_on,
  closed_on,
  updated_at,
  _load_id,
  _row,
  _line,
  LEAST(COALESCE(updated_at, _landed_at), _landed_at) AS _business_time,
  _generation,
  CAST(NULL AS STRING) AS _issue
FROM stated
