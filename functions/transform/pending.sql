-- What a drain of @feed has to look at: loads whose latest validation is not in curated yet (or was
-- withdrawn), and the loads that the waiting calls ask for, whatever their state.
WITH latest AS (
  SELECT *
  FROM inventory_ops.load_stages
  WHERE feed = @feed AND stage IN ('validate', 'transform', 'kpi')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
)
SELECT
  validated.load_id,
  validated.record_id AS input_record,
  validated.state AS validate_state,
  done.record_id AS done_record,
  done.state AS done_state,
  done.stage_version AS done_version,
  done.input_record AS done_input,
  done.finished_at AS done_at,
  done.detail AS done_detail,
  kpi.input_record AS kpi_input
FROM latest AS validated
LEFT JOIN latest AS done ON done.load_id = validated.load_id AND done.stage = 'transform'
LEFT JOIN latest AS kpi ON kpi.load_id = validated.load_id AND kpi.stage = 'kpi'
WHERE validated.stage = 'validate'
  AND (
    validated.load_id IN UNNEST(@asked)
    OR (
      done.input_record IS DISTINCT FROM validated.record_id
      AND (validated.state = 'validated' OR done.load_id IS NOT NULL)
    )
  )
ORDER BY validated.load_id
