-- What a drain of @feed has to look at: loads whose latest validation is not in curated yet (or was withdrawn), and
-- the loads that the waiting calls ask for, whatever their state. It looks at what landed since @since and on @days.
WITH latest AS (
  SELECT
    load_id, stage, state, record_id, stage_version, input_record, run_id, raw_run_id, bucket, object, generation,
    content_md5, size_bytes, landed_at, landed_on, finished_at, `rows`, quarantined, detail
  FROM inventory_ops.load_stages
  WHERE (landed_on >= @since OR landed_on IN UNNEST(@days))
    AND feed = @feed
    AND stage IN ('validate', 'transform')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
),
refused AS (
  SELECT load_id, run_id, COUNT(DISTINCT `row`) AS visible
  FROM inventory_ops.quarantine_rows
  WHERE (landed_on >= @since OR landed_on IN UNNEST(@days)) AND feed = @feed AND stage = 'validate'
  GROUP BY load_id, run_id
),
attempts AS (
  SELECT attempt_id, load_id, recorded_at
  FROM inventory_ops.stage_attempts
  WHERE (landed_on >= @since OR landed_on IN UNNEST(@days))
    AND feed = @feed
    AND stage = 'transform'
    AND event = 'failed'
)
SELECT
  validated.load_id,
  validated.record_id,
  validated.state AS validate_state,
  validated.finished_at AS validated_at,
  validated.state != 'validated' OR COALESCE(validated.quarantined, 0) = COALESCE(MAX(refused.visible), 0) AS complete,
  validated.`rows` AS validated_rows,
  validated.quarantined,
  COALESCE(MAX(refused.visible), 0) AS refused_rows,
  validated.run_id,
  validated.raw_run_id,
  validated.bucket,
  validated.object,
  validated.generation,
  validated.content_md5,
  validated.size_bytes,
  validated.landed_at,
  validated.landed_on,
  done.record_id AS done_record,
  done.state AS done_state,
  done.stage_version AS done_version,
  done.input_record AS done_input,
  done.finished_at AS done_at,
  done.`rows` AS done_rows,
  done.detail AS done_detail,
  COUNT(DISTINCT attempts.attempt_id) AS failures
FROM latest AS validated
LEFT JOIN latest AS done ON done.load_id = validated.load_id AND done.stage = 'transform'
LEFT JOIN refused ON refused.load_id = validated.load_id AND refused.run_id = validated.run_id
-- failures with this very validation, since the last result
LEFT JOIN attempts
  ON attempts.load_id = validated.load_id
  AND attempts.recorded_at > validated.finished_at
  AND (done.finished_at IS NULL OR attempts.recorded_at > done.finished_at)
WHERE validated.stage = 'validate'
  AND (
    validated.load_id IN UNNEST(@asked)
    OR (
      done.input_record IS DISTINCT FROM validated.record_id
      AND (validated.state = 'validated' OR done.load_id IS NOT NULL)
    )
  )
GROUP BY
  validated.load_id, validated.record_id, validated.state, validated.finished_at, validated.`rows`,
  validated.quarantined, validated.run_id, validated.raw_run_id, validated.bucket, validated.object, validated.generation,
  validated.content_md5, validated.size_bytes, validated.landed_at, validated.landed_on, done.record_id, done.state,
  done.stage_version, done.input_record, done.finished_at, done.`rows`, done.detail
ORDER BY validated.load_id
