-- The rows of one feed that passed validation, with the conventions of their file. {feed} is the feed.
SELECT
  raw.*,
  loads.decimal_mark AS _decimal,
  loads.date_order AS _date_order,
  loads.time_zone AS _time_zone,
  loads.generation AS _generation,
  loads.landed_at AS _landed_at
FROM inventory_raw.{feed} AS raw
JOIN inventory_ops.validated_loads AS loads
  ON loads.landed_on = raw._landed_on AND loads.load_id = raw._load_id AND loads.raw_run_id = raw._run_id
LEFT JOIN inventory_ops.quarantined_rows AS refused
  ON refused.landed_on = raw._landed_on AND refused.load_id = raw._load_id AND refused.`row` = raw._row
WHERE raw._landed_on >= DATE '2000-01-01' AND refused.`row` IS NULL
