-- Objects that landed since @since and were set aside as a duplicate of a load that ingest or validation refused since:
-- nothing states their content any more.
WITH latest AS (
  SELECT
    load_id, stage, state, bucket, object, generation, landed_at, finished_at,
    JSON_VALUE(detail, '$.duplicate_of') AS duplicate_of
  FROM inventory_ops.load_stages
  WHERE landed_on >= @since AND stage IN ('ingest', 'validate')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
)
SELECT copies.bucket, copies.object, copies.generation
FROM latest AS copies
WHERE copies.stage = 'ingest'
  AND copies.state = 'duplicate_content'
  AND copies.finished_at < @before
  AND copies.duplicate_of IN (SELECT load_id FROM latest WHERE state = 'rejected')
ORDER BY copies.landed_at, copies.object
LIMIT 1000
