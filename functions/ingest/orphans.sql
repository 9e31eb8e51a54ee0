-- Rows of runs of {feed} that nobody will ever see: an attempt that was killed, a copy, a run that a replay put
-- aside. The newest run that loaded an object stays when a replay refused it since: its object may be gone when the
-- contract is right again. Only of the days on which files were tried lately, and only what was written before @before.
DELETE FROM inventory_raw.{feed}
WHERE _landed_on IN UNNEST(@days)
  AND _ingested_at < @before
  AND _run_id NOT IN (
    SELECT raw_run_id
    FROM (
      SELECT raw_run_id
      FROM inventory_ops.load_stages
      WHERE landed_on IN UNNEST(@days) AND feed = '{feed}'
      QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
        OR ROW_NUMBER() OVER (PARTITION BY load_id, stage, state = 'loaded' ORDER BY finished_at DESC, record_id DESC) = 1
    )
    WHERE raw_run_id IS NOT NULL
  )
