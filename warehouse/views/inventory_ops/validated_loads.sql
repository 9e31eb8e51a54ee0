-- The loads that validation let through, with the committed run of raw that it judged and the file's conventions.
SELECT
  landed_on,
  load_id,
  feed,
  generation,
  landed_at,
  run_id,
  raw_run_id,
  record_id,
  COALESCE(JSON_VALUE(detail, '$.decimal_mark'), '.') AS decimal_mark,
  COALESCE(JSON_VALUE(detail, '$.date_order'), 'ymd') AS date_order,
  COALESCE(JSON_VALUE(detail, '$.time_zone'), 'UTC') AS time_zone
FROM inventory_ops.load_stages_latest
WHERE stage = 'validate' AND state = 'validated'
