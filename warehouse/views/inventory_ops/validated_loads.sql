-- The loads that validation let through, with the file's conventions that it found.
SELECT
  load_id,
  feed,
  generation,
  landed_at,
  run_id,
  record_id,
  COALESCE(JSON_VALUE(detail, '$.decimal_mark'), '.') AS decimal_mark,
  COALESCE(JSON_VALUE(detail, '$.date_order'), 'ymd') AS date_order
FROM inventory_ops.load_stages_latest
WHERE stage = 'validate' AND state = 'validated'
