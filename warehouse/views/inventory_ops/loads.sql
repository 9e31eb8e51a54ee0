-- One row a load: how far it came, how it ended and its books. How many of its rows newer files replaced changes
-- with each of them: count it in the curated table of its feed and its history, as `stockflow loads` does.
WITH latest AS (
  SELECT * FROM inventory_ops.load_stages_latest
)
SELECT
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
    IF(MAX(IF(stage = 'validate', state, NULL)) = 'rejected', 'rejected', NULL),
    MAX(IF(stage = 'kpi', state, NULL)),
    MAX(IF(stage = 'transform', state, NULL)),
    MAX(IF(stage = 'validate', state, NULL)),
    MAX(IF(stage = 'ingest', state, NULL))
  ) AS state,
  IF(
    MAX(IF(stage = 'validate', state, NULL)) = 'rejected',
    'rejected',
    MAX(IF(stage = 'ingest', state, NULL))
  ) AS end_state,
  MAX(IF(stage = 'ingest', `lines`, NULL)) AS `lines`,
  MAX(IF(stage = 'ingest', `rows`, NULL)) AS `rows`,
  MAX(IF(stage = 'ingest', rejects, NULL)) AS rejects,
  COALESCE(SUM(IF(stage IN ('validate', 'transform'), quarantined, 0)), 0) AS quarantined,
  COALESCE(
    MAX(IF(stage = 'validate' AND state = 'rejected', reason_code, NULL)),
    MAX(IF(stage = 'ingest', reason_code, NULL))
  ) AS reason_code,
  COALESCE(
    MAX(IF(stage = 'validate' AND state = 'rejected', message, NULL)),
    MAX(IF(stage = 'ingest', message, NULL))
  ) AS message,
  MAX(content_md5) AS content_md5,
  MAX(size_bytes) AS size_bytes,
  MAX(finished_at) AS finished_at,
  TIMESTAMP_DIFF(MAX(finished_at), MAX(landed_at), MILLISECOND) / 1000 AS seconds
FROM latest
GROUP BY load_id
