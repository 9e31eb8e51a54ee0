-- One row a load: how far it came, how it ended and its books. A stage that is tried again shows as `retrying`, with
-- the reason. How many of its rows newer files replaced changes with each of them: count it in the curated table of
-- its feed and its history, as `stockflow loads` does. `unused_columns` (headers that no alias knows, with the nearest
-- column), `absent_measures` (optional numbers that no column states) and `doubts` (values that could be read two ways,
-- where nothing but a default decided) are JSON, NULL when there are none.
WITH latest AS (
  SELECT * FROM inventory_ops.load_stages_latest
),
troubles AS (
  SELECT
    landed_on,
    load_id,
    MAX(feed) AS feed,
    MAX(bucket) AS bucket,
    MAX(object) AS object,
    MAX(generation) AS generation,
    MAX(landed_at) AS landed_at,
    MAX(stage) AS stage,
    MAX(last_reason) AS last_reason,
    MAX(last_at) AS last_at,
    CONCAT('attempt ', CAST(MAX(attempts) AS STRING), ': ', MAX(last_message)) AS message
  FROM inventory_ops.open_attempts
  WHERE failed > 0
  GROUP BY landed_on, load_id
),
known AS (
  SELECT
    landed_on,
    load_id,
    MAX(feed) AS feed,
    MAX(bucket) AS bucket,
    MAX(object) AS object,
    MAX(generation) AS generation,
    MAX(landed_at) AS landed_at,
    CASE
      WHEN MAX(IF(stage = 'kpi', state, NULL)) IS NOT NULL THEN 'kpi'
      WHEN MAX(IF(stage = 'transform', state, NULL)) IS NOT NULL THEN 'transform'
      WHEN MAX(IF(stage = 'validate', state, NULL)) IS NOT NULL THEN 'validate'
      ELSE 'ingest'
    END AS stage,
    COALESCE(
      MAX(IF(stage = 'ingest' AND state = 'failed', state, NULL)),
      MAX(IF(stage = 'validate' AND state IN ('rejected', 'held', 'failed'), state, NULL)),
      MAX(IF(stage = 'transform' AND state = 'failed', state, NULL)),
      MAX(IF(stage = 'kpi', state, NULL)),
      MAX(IF(stage = 'transform', state, NULL)),
      MAX(IF(stage = 'validate', state, NULL)),
      MAX(IF(stage = 'ingest', state, NULL))
    ) AS state,
    COALESCE(
      MAX(IF(stage = 'validate' AND state IN ('rejected', 'held', 'failed'), state, NULL)),
      MAX(IF(stage = 'transform' AND state = 'failed', state, NULL)),
      MAX(IF(stage = 'ingest', state, NULL))
    ) AS end_state,
    MAX(IF(stage = 'ingest', `lines`, NULL)) AS `lines`,
    MAX(IF(stage = 'ingest', `rows`, NULL)) AS `rows`,
    MAX(IF(stage = 'ingest', rejects, NULL)) AS rejects,
    COALESCE(SUM(IF(stage IN ('validate', 'transform'), quarantined, 0)), 0) AS quarantined,
    COALESCE(
      MAX(IF(stage = 'transform' AND state = 'failed', reason_code, NULL)),
      MAX(IF(stage = 'validate' AND state != 'validated', reason_code, NULL)),
      MAX(IF(stage = 'ingest', reason_code, NULL))
    ) AS reason_code,
    COALESCE(
      MAX(IF(stage = 'transform' AND state = 'failed', message, NULL)),
      MAX(IF(stage = 'validate' AND state != 'validated', message, NULL)),
      MAX(IF(stage = 'ingest', message, NULL))
    ) AS message,
    MAX(IF(stage = 'ingest', JSON_QUERY(detail, '$.unused_columns'), NULL)) AS unused_columns,
    MAX(IF(stage = 'ingest', JSON_QUERY(detail, '$.absent_measures'), NULL)) AS absent_measures,
    MAX(IF(stage = 'validate', NULLIF(JSON_QUERY(detail, '$.ambiguous'), '[]'), NULL)) AS doubts,
    MAX(content_md5) AS content_md5,
    MAX(size_bytes) AS size_bytes,
    MAX(finished_at) AS finished_at
  FROM latest
  GROUP BY landed_on, load_id
)
SELECT
  COALESCE(known.landed_on, troubles.landed_on) AS landed_on,
  COALESCE(known.load_id, troubles.load_id) AS load_id,
  COALESCE(known.feed, troubles.feed) AS feed,
  COALESCE(known.bucket, troubles.bucket) AS bucket,
  COALESCE(known.object, troubles.object) AS object,
  COALESCE(known.generation, troubles.generation) AS generation,
  COALESCE(known.landed_at, troubles.landed_at) AS landed_at,
  COALESCE(known.stage, troubles.stage) AS stage,
  IF(troubles.load_id IS NULL, known.state, 'retrying') AS state,
  known.end_state,
  known.`lines`,
  known.`rows`,
  known.rejects,
  COALESCE(known.quarantined, 0) AS quarantined,
  COALESCE(troubles.last_reason, known.reason_code) AS reason_code,
  COALESCE(troubles.message, known.message) AS message,
  known.unused_columns,
  known.absent_measures,
  known.doubts,
  known.content_md5,
  known.size_bytes,
  COALESCE(known.finished_at, troubles.last_at) AS finished_at,
  TIMESTAMP_DIFF(
    COALESCE(known.finished_at, troubles.last_at), COALESCE(known.landed_at, troubles.landed_at), MILLISECOND
  ) / 1000 AS seconds
FROM known
FULL JOIN troubles ON troubles.landed_on = known.landed_on AND troubles.load_id = known.load_id
