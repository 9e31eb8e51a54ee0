-- One drain of <<feed>>: @loads go from raw to curated in one transaction. Built by merge.py.
CREATE TABLE IF NOT EXISTS inventory_curated.turn_<<feed>> AS SELECT 0 AS turn;

BEGIN TRANSACTION;

-- Two drains of one feed at once both change this row, so BigQuery aborts the later one.
UPDATE inventory_curated.turn_<<feed>> SET turn = turn + 1 WHERE TRUE;

CREATE TEMP TABLE batch AS
SELECT
  *,
  SUBSTR(TO_HEX(SHA256(CONCAT(record_id, @version, @drain))), 1, 20) AS next_run,
  (<<dimensions_seen>>) AS dimensions_seen,
  (<<others_seen>>) AS others_seen
FROM inventory_ops.load_stages
WHERE stage = 'validate' AND load_id IN UNNEST(@loads)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1;

CREATE TEMP TABLE accepted AS
SELECT * FROM inventory_raw.<<feed>>_accepted WHERE _load_id IN UNNEST(@loads);

CREATE TEMP TABLE typed AS
WITH model AS (
<<model>>
)
SELECT
  model.* EXCEPT (_issue),
  CASE
    WHEN model._issue IS NOT NULL THEN model._issue
<<refusals>>
  END AS _issue,
  TO_JSON_STRING(STRUCT(
    <<original>>
  )) AS _original
FROM model
JOIN accepted AS raw ON raw._load_id = model._load_id AND raw._line = model._line;

-- a transaction takes no ASSERT
IF (SELECT COUNT(*) FROM typed) != (SELECT COUNT(*) FROM accepted) THEN
  RAISE USING MESSAGE = 'the model of <<feed>> must return exactly one row per accepted row';
END IF;

-- What wins now, for each key that these loads state or stated, next to what won before.
CREATE TEMP TABLE changes AS
WITH touched AS (
  SELECT <<keys>> FROM typed WHERE _issue IS NULL
  UNION DISTINCT
  SELECT <<keys>> FROM inventory_curated.<<feed>>_history WHERE _load_id IN UNNEST(@loads)
),
statements AS (
  SELECT <<columns>> FROM typed WHERE _issue IS NULL
  UNION ALL
  SELECT <<history_columns>>
  FROM inventory_curated.<<feed>>_history AS history
  JOIN touched ON <<touched_is_history>>
  WHERE history._load_id NOT IN UNNEST(@loads)
),
winners AS (
  SELECT *
  FROM statements
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY <<keys>> ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _line DESC
  ) = 1
)
SELECT
  <<touched_keys>>,
  <<winner_columns>>,
  <<was_columns>>,
  now._load_id IS NULL OR was._load_id IS NULL<<content_differs>> AS _content_changed
FROM touched
LEFT JOIN winners AS now ON <<touched_is_now>>
LEFT JOIN inventory_curated.<<feed>> AS was ON <<touched_is_was>>
WHERE now._load_id IS DISTINCT FROM was._load_id
  OR now._line IS DISTINCT FROM was._line
  OR now._business_time IS DISTINCT FROM was._business_time<<any_differs>>;

DELETE FROM inventory_curated.<<feed>>_history WHERE _load_id IN UNNEST(@loads);

INSERT INTO inventory_curated.<<feed>>_history (<<columns>>, _updated_at)
SELECT <<columns>>, CURRENT_TIMESTAMP() FROM typed WHERE _issue IS NULL;

DELETE FROM inventory_curated.<<feed>> kept
WHERE EXISTS (SELECT 1 FROM changes WHERE <<changes_is_kept>>);

INSERT INTO inventory_curated.<<feed>> (<<columns>>, _updated_at)
SELECT <<columns>>, CURRENT_TIMESTAMP() FROM changes WHERE _load_id IS NOT NULL;

INSERT INTO inventory_ops.quarantine_rows (
  run_id, load_id, feed, line, stage, rule, column_name, value, expected, message, severity, original_row, recorded_at
)
SELECT
  batch.next_run,
  typed._load_id,
  '<<feed>>',
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
  typed._original,
  CURRENT_TIMESTAMP()
FROM typed
JOIN batch ON batch.load_id = typed._load_id
WHERE typed._issue IS NOT NULL;

INSERT INTO inventory_ops.load_stages (
  record_id, load_id, feed, bucket, object, generation, stage, state, stage_version, run_id, input_record,
  `lines`, `rows`, quarantined, superseded, content_md5, size_bytes, landed_at, started_at, finished_at, detail
)
WITH counted AS (
  SELECT _load_id AS load_id, COUNTIF(_issue IS NULL) AS passed, COUNTIF(_issue IS NOT NULL) AS refused
  FROM typed
  GROUP BY _load_id
),
kept AS (
  SELECT _load_id AS load_id, COUNT(*) AS kept
  FROM inventory_curated.<<feed>>
  WHERE _load_id IN UNNEST(@loads)
  GROUP BY _load_id
),
touched AS (
  SELECT
    CASE
      WHEN _load_id IN UNNEST(@loads) THEN _load_id
      WHEN _was_load_id IN UNNEST(@loads) THEN _was_load_id
      ELSE (SELECT MIN(load_id) FROM batch)
    END AS load_id,
    day
  FROM (<<touched_days>>)
  UNION ALL
  -- days of an earlier run of the same load that the KPIs have not seen yet
  SELECT SPLIT(carried, ' ')[SAFE_OFFSET(0)], SPLIT(carried, ' ')[SAFE_OFFSET(1)]
  FROM UNNEST(@carried) AS carried
),
clock AS (
  SELECT
    finished_at,
    IF(
      EXTRACT(MICROSECOND FROM finished_at) = 0,
      FORMAT_TIMESTAMP('%FT%H:%M:%S+00:00', finished_at),
      FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', finished_at)
    ) AS finished
  FROM (SELECT CURRENT_TIMESTAMP() AS finished_at)
),
days AS (
  SELECT
    load_id,
    STRING_AGG(DISTINCT IF(day = '*', NULL, CONCAT('"', day, '"')), ',') AS dates,
    LOGICAL_OR(day = '*') AS all_dates
  FROM touched
  WHERE day IS NOT NULL
  GROUP BY load_id
)
SELECT
  -- as StageRecord.record_id says it
  SUBSTR(TO_HEX(SHA256(CONCAT(
    CAST(LENGTH(batch.load_id) AS STRING), ':', batch.load_id, '9:transform',
    CAST(LENGTH(@version) AS STRING), ':', @version, '11:transformed',
    CAST(LENGTH(clock.finished) AS STRING), ':', clock.finished
  ))), 1, 20),
  batch.load_id, '<<feed>>', batch.bucket, batch.object, batch.generation,
  'transform', 'transformed', @version, batch.next_run, batch.record_id,
  COALESCE(counted.passed, 0) + COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0),
  COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0) - COALESCE(kept.kept, 0),
  batch.content_md5, batch.size_bytes, batch.landed_at, @started, clock.finished_at,
  CONCAT(
    -- in two pieces, so that the name stays free of an environment's prefix
    '{"tables":["inventory', '_curated.<<feed>>"],"dates":[', COALESCE(days.dates, ''),
    '],"all_dates":', IF(COALESCE(days.all_dates, FALSE), 'true', 'false'), '}'
  )
FROM batch
CROSS JOIN clock
LEFT JOIN counted ON counted.load_id = batch.load_id
LEFT JOIN kept ON kept.load_id = batch.load_id
LEFT JOIN days ON days.load_id = batch.load_id;
<<mark>>
COMMIT TRANSACTION;
<<mark_again>>
SELECT done.*, (<<dimensions_seen>>) != batch.dimensions_seen AS overtaken
FROM batch
JOIN inventory_ops.load_stages AS done ON done.run_id = batch.next_run
ORDER BY done.load_id;
