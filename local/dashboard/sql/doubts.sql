-- The newest files whose reading left something in doubt, with what ingest and validate noted of them. A file that was
-- rejected is not here: nothing of it counts.
WITH noted AS (
  SELECT
    load_id,
    MAX(IF(stage = 'ingest', detail, NULL)) AS ingest,
    MAX(IF(stage = 'validate', detail, NULL)) AS validate
  FROM inventory_ops.load_stages_latest
  WHERE stage IN ('ingest', 'validate')
  GROUP BY load_id
)
SELECT loads.feed, loads.object, loads.landed_at, noted.ingest, noted.validate, COUNT(*) OVER () AS files
FROM inventory_ops.loads AS loads
INNER JOIN noted ON noted.load_id = loads.load_id
WHERE loads.end_state IN ('loaded', 'held', 'validated')
  AND (
    loads.doubts IS NOT NULL
    OR loads.unused_columns IS NOT NULL
    OR loads.absent_measures IS NOT NULL
    OR JSON_QUERY(noted.ingest, '$.encoding_doubt') IS NOT NULL
    OR JSON_VALUE(noted.ingest, '$.periods') IS NOT NULL
    OR JSON_QUERY(noted.ingest, '$.quantities_not_read') IS NOT NULL
    OR JSON_QUERY(noted.ingest, '$.messages_not_read') IS NOT NULL
  )
ORDER BY loads.landed_at DESC, loads.load_id
LIMIT 30
