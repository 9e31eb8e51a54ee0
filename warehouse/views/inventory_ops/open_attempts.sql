-- Stages that began with a load and have no result yet: how often, and what the last attempt ended with.
WITH attempts AS (
  SELECT
    landed_on,
    load_id,
    stage,
    attempt_id,
    MAX(feed) AS feed,
    MAX(bucket) AS bucket,
    MAX(object) AS object,
    MAX(generation) AS generation,
    MAX(landed_at) AS landed_at,
    LOGICAL_OR(event = 'began') AND COUNT(DISTINCT event) = 1 AS only_began,
    MAX(reason_code) AS reason_code,
    MAX(message) AS message,
    MIN(recorded_at) AS began_at,
    MAX(recorded_at) AS last_at
  FROM inventory_ops.stage_attempts
  WHERE landed_on >= DATE '2000-01-01'
  GROUP BY landed_on, load_id, stage, attempt_id
)
SELECT
  attempts.landed_on,
  attempts.load_id,
  attempts.stage,
  MAX(attempts.feed) AS feed,
  MAX(attempts.bucket) AS bucket,
  MAX(attempts.object) AS object,
  MAX(attempts.generation) AS generation,
  MAX(attempts.landed_at) AS landed_at,
  COUNT(*) AS attempts,
  COUNTIF(NOT attempts.only_began) AS failed,
  ARRAY_AGG(attempts.only_began ORDER BY attempts.began_at DESC LIMIT 1)[OFFSET(0)] AS working,
  ARRAY_AGG(COALESCE(attempts.reason_code, '') ORDER BY attempts.only_began, attempts.began_at DESC LIMIT 1)[OFFSET(0)]
    AS last_reason,
  ARRAY_AGG(COALESCE(attempts.message, '') ORDER BY attempts.only_began, attempts.began_at DESC LIMIT 1)[OFFSET(0)]
    AS last_message,
  MAX(attempts.last_at) AS last_at
FROM attempts
LEFT JOIN inventory_ops.load_stages_latest AS done
  ON done.landed_on = attempts.landed_on AND done.load_id = attempts.load_id AND done.stage = attempts.stage
WHERE done.finished_at IS NULL OR done.finished_at < attempts.began_at
-- by position: `attempts` is a column here, too
GROUP BY 1, 2, 3
