-- Objects that landed since @since and were handed over to Dataflow before @before, which no job has ended yet.
WITH latest AS (
  SELECT load_id, state, bucket, object, generation, landed_at, finished_at
  FROM inventory_ops.load_stages
  WHERE landed_on >= @since AND stage = 'ingest'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
)
SELECT bucket, object, generation
FROM latest
WHERE state = 'handed_over' AND finished_at < @before
ORDER BY landed_at, object
LIMIT 1000
