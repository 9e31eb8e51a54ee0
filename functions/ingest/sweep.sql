-- Loads that landed since @since and wait for a stage since before @before, each with the event that wakes it: its
-- next stage never started, failed, or was asked to look again. Lost events are made up for from what the ledger says.
-- KPIs that rest say when they are due (`due` in the detail of `kpi`): their loads wait until then, and no longer; one
-- that was transformed again since (`of` names the run that they know) does not wait for them.
WITH latest AS (
  SELECT load_id, feed, stage, state, record_id, input_record, landed_on, finished_at, detail
  FROM inventory_ops.load_stages
  WHERE landed_on >= @since
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
),
-- What the KPIs are to hold is the latest run of transform, also of a load that was parked since.
results AS (
  SELECT * FROM latest WHERE stage != 'transform'
  UNION ALL
  SELECT load_id, feed, stage, state, record_id, input_record, landed_on, finished_at, detail
  FROM inventory_ops.load_stages
  WHERE landed_on >= @since AND stage = 'transform' AND state = 'transformed'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
),
steps AS (
  SELECT 'ingest' AS before_stage, 'loaded' AS passed, 'validate' AS stage, 'load.ingested' AS event_type
  UNION ALL
  SELECT 'validate', 'validated', 'transform', 'load.validated'
  UNION ALL
  SELECT 'transform', 'transformed', 'kpi', 'load.transformed'
)
SELECT
  steps.stage,
  steps.event_type,
  done_before.load_id,
  done_before.feed,
  done_before.landed_on,
  done_before.finished_at AS waits_since,
  IF(steps.stage = 'kpi', done_before.detail, NULL) AS detail
FROM steps
JOIN results AS done_before ON done_before.stage = steps.before_stage
LEFT JOIN latest AS done ON done.load_id = done_before.load_id AND done.stage = steps.stage
WHERE done.input_record IS DISTINCT FROM done_before.record_id
  -- a load that was let through and is refused now must leave again; what ingest gave up or ignored says nothing new
  AND (
    done_before.state = steps.passed
    OR (steps.stage != 'kpi' AND done.load_id IS NOT NULL AND done_before.state IN ('rejected', 'held'))
  )
  AND IF(
    JSON_VALUE(done.detail, '$.due') IS NOT NULL AND JSON_VALUE(done.detail, '$.of') = done_before.record_id,
    TIMESTAMP(JSON_VALUE(done.detail, '$.due')) <= @now,
    done_before.finished_at < @before AND (done.finished_at IS NULL OR done.finished_at < @before)
  )
ORDER BY waits_since, load_id, steps.stage
LIMIT 1000
