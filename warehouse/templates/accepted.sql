-- The rows of one feed that passed validation, with the conventions of their file. {feed} is the feed.
SELECT
  raw.*,
  loads.decimal_mark AS _decimal,
  loads.date_order AS _date_order,
  loads.generation AS _generation,
  loads.landed_at AS _landed_at
FROM inventory_raw.{feed} AS raw
JOIN inventory_ops.validated_loads AS loads ON loads.load_id = raw._load_id
LEFT JOIN inventory_ops.quarantined_lines AS refused
  ON refused.load_id = raw._load_id AND refused.line = raw._line
WHERE refused.line IS NULL
