-- One drain of <<feed>>: @loads go from raw to curated in one transaction. Built by merge.py.
-- @records are the validations that were found complete; @days the landing days of the loads, @near those on which
-- other generations of their objects may have landed; a newer generation of @replacing loads' objects replaces them.
-- Whether raw holds the rows that validation counted, and the model answers each; whether rows are refused; whether
-- these loads were transformed before; whether they make other loads' statements count or not count any more; one of
-- both.
DECLARE complete, refusing, again, replacing_others, restating, overtaken BOOL;
<<declare_dates>><<turns>>
BEGIN TRANSACTION;

-- Two drains of one feed at once both change this row, so BigQuery aborts the later one.
UPDATE inventory_curated.turn_<<feed>> SET turn = turn + 1 WHERE TRUE;

CREATE TEMP TABLE batch AS
SELECT
  load_id, bucket, object, generation, run_id, raw_run_id, record_id, state, `rows`, content_md5, size_bytes,
  landed_at, landed_on,
  COALESCE(JSON_VALUE(detail, '$.decimal_mark'), '.') AS decimal_mark,
  COALESCE(JSON_VALUE(detail, '$.date_order'), 'ymd') AS date_order,
  COALESCE(JSON_VALUE(detail, '$.time_zone'), 'UTC') AS time_zone,
  load_id IN UNNEST(@replacing) AS replaces,
  SUBSTR(TO_HEX(SHA256(CONCAT(record_id, @version, @drain))), 1, 20) AS next_run,
  (<<dimensions_seen>>) AS dimensions_seen,
  (<<others_seen>>) AS others_seen
FROM inventory_ops.load_stages
WHERE landed_on IN UNNEST(@days)
  AND load_id IN UNNEST(@loads)
  AND stage = 'validate'
  AND record_id IN UNNEST(@records)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1;

-- The rows of the committed runs, without those that validation refused.
CREATE TEMP TABLE accepted AS
SELECT
  <<raw_columns>>,
  batch.decimal_mark AS _decimal,
  batch.date_order AS _date_order,
  batch.time_zone AS _time_zone,
  batch.generation AS _generation,
  batch.landed_at AS _landed_at
FROM inventory_raw.<<feed>> AS raw
JOIN batch ON batch.load_id = raw._load_id AND batch.raw_run_id = raw._run_id AND batch.landed_on = raw._landed_on
LEFT JOIN (
  SELECT DISTINCT load_id, run_id, `row`
  FROM inventory_ops.quarantine_rows
  WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads) AND stage = 'validate'
) AS refused
  ON refused.load_id = batch.load_id AND refused.run_id = batch.run_id AND refused.`row` = raw._row
WHERE raw._landed_on IN UNNEST(@days) AND batch.state = 'validated' AND refused.`row` IS NULL;

CREATE TEMP TABLE typed AS
WITH model AS (
<<model>>
)
SELECT
  model.* EXCEPT (_issue),
  CASE
    WHEN model._issue IS NOT NULL THEN model._issue
<<refusals>>
  END AS _issue
FROM model
JOIN accepted AS raw ON raw._load_id = model._load_id AND raw._row = model._row;

-- In the transaction: what another drain committed before it began is seen here. One expression, which BigQuery
-- evaluates as one job.
SET (complete, refusing, again) = (
  (SELECT COUNT(*) FROM typed) = (SELECT COUNT(*) FROM accepted)
  AND NOT EXISTS (
    SELECT 1
    FROM batch
    LEFT JOIN (SELECT _load_id, COUNT(*) AS found FROM accepted GROUP BY _load_id) AS counted
      ON counted._load_id = batch.load_id
    WHERE batch.state = 'validated' AND batch.`rows` != COALESCE(counted.found, 0)
  ),
  EXISTS (SELECT 1 FROM typed WHERE _issue IS NOT NULL),
  EXISTS (
    SELECT 1
    FROM inventory_ops.load_stages
    WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads) AND stage = 'transform'
  )
);

-- a transaction takes no ASSERT
IF NOT complete THEN
  RAISE USING MESSAGE = 'raw must hold the rows that validation counted, and the model of <<feed>> return one for each';
END IF;

-- All generations of the objects that are replaced as a whole, and which load replaces them: the newest that states
-- anything.
CREATE TEMP TABLE generations AS
WITH known AS (
  SELECT batch.bucket, batch.object, batch.generation, batch.load_id, COUNT(typed._load_id) AS stated
  FROM batch
  LEFT JOIN typed ON typed._load_id = batch.load_id AND typed._issue IS NULL
  WHERE batch.replaces
  GROUP BY batch.bucket, batch.object, batch.generation, batch.load_id
  UNION ALL
  SELECT bucket, object, generation, load_id, `rows`
  FROM (
    SELECT bucket, object, generation, load_id, `rows`
    FROM inventory_ops.load_stages
    WHERE landed_on IN UNNEST(@near)
      AND feed = '<<feed>>'
      AND stage = 'transform'
      AND load_id NOT IN UNNEST(@loads)
      AND object IN (SELECT object FROM batch WHERE replaces)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
  )
),
newest AS (
  SELECT bucket, object, generation, load_id
  FROM known
  WHERE stated > 0
  QUALIFY ROW_NUMBER() OVER (PARTITION BY bucket, object ORDER BY generation DESC) = 1
)
SELECT known.load_id, newest.load_id AS replaced_by
FROM known
LEFT JOIN newest
  ON newest.bucket = known.bucket AND newest.object = known.object AND newest.generation > known.generation;

-- Those that a load of this drain replaced before and does not any more.
IF again THEN
  INSERT INTO generations (load_id, replaced_by)
  SELECT DISTINCT _load_id, CAST(NULL AS STRING)
  FROM inventory_curated.<<feed>>_history
  WHERE _replaced_by IN UNNEST(@loads)
    AND _load_id NOT IN UNNEST(@loads)
    AND _load_id NOT IN (SELECT load_id FROM generations);
END IF;

SET replacing_others = EXISTS (SELECT 1 FROM generations WHERE load_id NOT IN UNNEST(@loads));

SET restating = again OR replacing_others;

-- The keys that these loads state or stated, or that generations state which these loads replace or give back.
CREATE TEMP TABLE touched AS SELECT DISTINCT <<keys>> FROM typed WHERE _issue IS NULL;

IF restating THEN
  INSERT INTO touched (<<keys>>)
  SELECT <<keys>>
  FROM inventory_curated.<<feed>>_history
  WHERE _load_id IN UNNEST(@loads) OR _load_id IN (SELECT load_id FROM generations)
  EXCEPT DISTINCT
  SELECT <<keys>> FROM touched;
END IF;
<<set_dates>>
-- What won before, of these keys.
CREATE TEMP TABLE before AS
SELECT <<was_rows>>
FROM inventory_curated.<<feed>> AS was
JOIN touched ON <<touched_is_was>><<was_in_dates>>;
<<seen_before>>
-- What is stated by these loads and was stated before. Only where statements leave does the history say which one wins
-- without them; else it is the one that won before, or a new one.
IF restating THEN
  CREATE TEMP TABLE statements AS
  <<stated_now>>
  UNION ALL
  SELECT <<history_columns>>
  FROM inventory_curated.<<feed>>_history AS history
  JOIN touched ON <<touched_is_history>>
  LEFT JOIN generations ON generations.load_id = history._load_id
  WHERE history._load_id NOT IN UNNEST(@loads)
    AND IF(generations.load_id IS NULL, history._replaced_by, generations.replaced_by) IS NULL<<history_in_dates>>;
ELSE
  CREATE TEMP TABLE statements AS
  <<stated_now>>
  UNION ALL
  SELECT <<columns>> FROM before;
END IF;

-- What wins now, for each of these keys, next to what won before.
CREATE TEMP TABLE changes AS
WITH winners AS (
  SELECT *
  FROM statements
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY <<keys>> ORDER BY <<newest_first>>) = 1
)
SELECT
  <<touched_keys>>,
  <<winner_columns>>,
  <<was_columns>>,
  now._load_id IS NULL OR was._load_id IS NULL<<content_differs>> AS _content_changed
FROM touched
LEFT JOIN winners AS now ON <<touched_is_now>>
LEFT JOIN before AS was ON <<touched_is_was>>
WHERE now._load_id IS DISTINCT FROM was._load_id
  OR now._row IS DISTINCT FROM was._row
  OR now._line IS DISTINCT FROM was._line
  OR now._business_time IS DISTINCT FROM was._business_time<<any_differs>>;

IF again THEN
  DELETE FROM inventory_curated.<<feed>>_history AS history
  WHERE history._load_id IN UNNEST(@loads)<<history_in_dates>>;
END IF;

INSERT INTO inventory_curated.<<feed>>_history (<<columns>>, _updated_at, _replaced_by)
SELECT <<columns>>, CURRENT_TIMESTAMP(), generations.replaced_by
FROM typed
LEFT JOIN generations ON generations.load_id = typed._load_id
WHERE typed._issue IS NULL;

IF replacing_others THEN
  UPDATE inventory_curated.<<feed>>_history AS history
  SET _replaced_by = generations.replaced_by, _updated_at = CURRENT_TIMESTAMP()
  FROM generations
  WHERE generations.load_id = history._load_id
    AND history._load_id NOT IN UNNEST(@loads)
    AND history._replaced_by IS DISTINCT FROM generations.replaced_by<<history_in_dates>>;
END IF;

IF EXISTS (SELECT 1 FROM changes WHERE _was_load_id IS NOT NULL) THEN
  DELETE FROM inventory_curated.<<feed>> AS kept
  WHERE EXISTS (SELECT 1 FROM changes WHERE <<changes_is_kept>>)<<kept_in_dates>>;
END IF;

INSERT INTO inventory_curated.<<feed>> (<<columns>>, _updated_at)
SELECT <<columns>>, CURRENT_TIMESTAMP() FROM changes WHERE _load_id IS NOT NULL;
<<seen_after>>
IF refusing THEN
  INSERT INTO inventory_ops.quarantine_rows (
    run_id, load_id, feed, `row`, line, stage, rule, column_name, value, expected, message, severity, original_row,
    recorded_at, landed_on
  )
  SELECT
    batch.next_run,
    typed._load_id,
    '<<feed>>',
    typed._row,
    typed._line,
    'transform',
    SPLIT(typed._issue, '|')[SAFE_OFFSET(0)],
    SPLIT(typed._issue, '|')[SAFE_OFFSET(1)],
    SPLIT(typed._issue, '|')[SAFE_OFFSET(2)],
    SPLIT(typed._issue, '|')[SAFE_OFFSET(3)],
    CONCAT(
      SPLIT(typed._issue, '|')[SAFE_OFFSET(1)], ': found "', SPLIT(typed._issue, '|')[SAFE_OFFSET(2)],
      '", expected ', SPLIT(typed._issue, '|')[SAFE_OFFSET(3)]
    ),
    'critical',
    TO_JSON_STRING(STRUCT(
      <<original>>
    )),
    CURRENT_TIMESTAMP(),
    batch.landed_on
  FROM typed
  JOIN accepted AS raw ON raw._load_id = typed._load_id AND raw._row = typed._row
  JOIN batch ON batch.load_id = typed._load_id
  WHERE typed._issue IS NOT NULL;
END IF;

INSERT INTO inventory_ops.load_stages (
  record_id, load_id, feed, bucket, object, generation, stage, state, stage_version, run_id, raw_run_id, input_record,
  `lines`, `rows`, quarantined, superseded, content_md5, size_bytes, landed_at, landed_on, started_at, finished_at,
  detail
)
WITH counted AS (
  SELECT _load_id AS load_id, COUNTIF(_issue IS NULL) AS passed, COUNTIF(_issue IS NOT NULL) AS refused
  FROM typed
  GROUP BY _load_id
),
kept AS (
  SELECT _load_id AS load_id, COUNT(*) AS kept
  FROM inventory_curated.<<feed>> AS kept
  WHERE _load_id IN UNNEST(@loads)<<kept_in_dates>>
  GROUP BY _load_id
),
runs AS (
  -- What the runs of these loads said, in the order of their commits. Drains of one feed follow each other (turn), so
  -- a run ends in that order; a record that was marked pending later has the run of the one that it marks.
  SELECT
    load_id, record_id, detail,
    MIN(finished_at) OVER (PARTITION BY load_id, run_id) AS committed_at
  FROM inventory_ops.load_stages
  WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads) AND stage = 'transform'
),
held AS (
  -- the run of transform that the KPIs hold
  SELECT runs.load_id, MAX(runs.committed_at) AS committed_at
  FROM runs
  JOIN (
    SELECT load_id, input_record
    FROM inventory_ops.load_stages
    WHERE landed_on IN UNNEST(@days) AND load_id IN UNNEST(@loads) AND stage = 'kpi' AND input_record IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
  ) AS kpi
    ON kpi.load_id = runs.load_id AND kpi.input_record = runs.record_id
  GROUP BY runs.load_id
),
unseen_runs AS (
  -- Earlier runs of these loads that the KPIs have not seen. Not only the last record: one that another script marked
  -- pending, when it could not see the last run yet, stands before that run.
  SELECT runs.load_id, runs.detail
  FROM runs
  LEFT JOIN held ON held.load_id = runs.load_id
  WHERE held.committed_at IS NULL OR runs.committed_at > held.committed_at
),
unseen AS (
  SELECT said.load_id, CONCAT(said.mark, day) AS day
  FROM (
    SELECT
      load_id,
      IF(JSON_VALUE(detail, '$.all_dates') = 'true', '*', '') AS mark,
      CASE
        WHEN COALESCE(JSON_VALUE(detail, '$.all_dates'), '') != 'true' THEN JSON_VALUE_ARRAY(detail, '$.dates')
        WHEN COALESCE(JSON_QUERY(detail, '$.columns'), JSON_QUERY(detail, '$.keys')) IS NULL<<unseen_whole>> THEN ['']
        ELSE JSON_VALUE_ARRAY(COALESCE(JSON_QUERY(detail, '$.columns'), JSON_QUERY(detail, '$.besides')))
      END AS days
    FROM unseen_runs
  ) AS said
  CROSS JOIN UNNEST(said.days) AS day<<unseen_marks>>
),
touched_days AS (
  SELECT
    CASE
      WHEN _load_id IN UNNEST(@loads) THEN _load_id
      WHEN _was_load_id IN UNNEST(@loads) THEN _was_load_id
      ELSE (SELECT MIN(load_id) FROM batch)
    END AS load_id,
    day
  FROM (<<touched_days>>)
  UNION ALL
  SELECT load_id, day FROM unseen
),
days AS (
  SELECT
    load_id,
    STRING_AGG(DISTINCT IF(REGEXP_CONTAINS(day, r'^[*#]'), NULL, CONCAT('"', day, '"')), ',') AS dates,
    LOGICAL_OR(REGEXP_CONTAINS(day, r'^[*#]')) AS all_dates,
    -- all days of the dimension: nothing says which columns or keys, or too many keys came or went to be named
    LOGICAL_OR(day = '*') OR COUNT(DISTINCT IF(STARTS_WITH(day, '#'), day, NULL)) > <<most_keys>> AS is_whole,
    STRING_AGG(DISTINCT CONCAT('"', REGEXP_EXTRACT(day, r'^[*](.+)'), '"'), ',') AS columns,
    STRING_AGG(DISTINCT IF(STARTS_WITH(day, '#'), TO_JSON_STRING(SUBSTR(day, 2)), NULL), ',') AS `keys`
  FROM touched_days
  WHERE day IS NOT NULL<<no_first_day>>
  GROUP BY load_id
),
<<by_day>><<restated>>
<<unvalued>>clock AS (
  SELECT CURRENT_TIMESTAMP() AS finished_at
)
SELECT
  <<record_id>>,
  batch.load_id, '<<feed>>', batch.bucket, batch.object, batch.generation,
  'transform', 'transformed', @version, batch.next_run, batch.raw_run_id, batch.record_id,
  COALESCE(counted.passed, 0) + COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0),
  COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0) - COALESCE(kept.kept, 0),
  batch.content_md5, batch.size_bytes, batch.landed_at, batch.landed_on, @started, clock.finished_at,
  CONCAT(
    -- in two pieces, so that the name stays free of an environment's prefix
    '{"tables":["inventory', '_curated.<<feed>>"],"dates":[', COALESCE(days.dates, ''),
    '],"all_dates":', IF(COALESCE(days.all_dates, FALSE), 'true', 'false'),
    CASE
      WHEN days.all_dates IS NOT TRUE OR days.is_whole THEN ''
      WHEN days.`keys` IS NULL THEN CONCAT(',"columns":[', days.columns, ']')
      ELSE CONCAT(',"keys":[', days.`keys`, '],"besides":[', COALESCE(days.columns, ''), ']')
    END,
<<by_day_said>>    COALESCE(CONCAT(',"replaced_by":"', generations.replaced_by, '"'), ''),
    COALESCE(restated.said, ''),<<unvalued_said>> '}'
  )
FROM batch
CROSS JOIN clock
LEFT JOIN counted ON counted.load_id = batch.load_id
LEFT JOIN kept ON kept.load_id = batch.load_id
LEFT JOIN days ON days.load_id = batch.load_id<<by_day_join>>
LEFT JOIN generations ON generations.load_id = batch.load_id
LEFT JOIN restated ON restated.load_id = batch.load_id<<unvalued_join>>;
<<mark>>
COMMIT TRANSACTION;
<<mark_again>><<mark_overtaken>>
SELECT done.*, overtaken, <<requeued>> AS requeued
FROM batch
JOIN inventory_ops.load_stages AS done ON done.run_id = batch.next_run
WHERE done.landed_on IN UNNEST(@days) AND done.state = 'transformed'
ORDER BY done.load_id;
