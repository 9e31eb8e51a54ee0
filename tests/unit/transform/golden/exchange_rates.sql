-- One drain of exchange_rates: @loads go from raw to curated in one transaction. Built by merge.py.
CREATE TABLE IF NOT EXISTS inventory_curated.turn_exchange_rates AS SELECT 0 AS turn;

BEGIN TRANSACTION;

-- Two drains of one feed at once both change this row, so BigQuery aborts the later one.
UPDATE inventory_curated.turn_exchange_rates SET turn = turn + 1 WHERE TRUE;

CREATE TEMP TABLE batch AS
SELECT
  *,
  SUBSTR(TO_HEX(SHA256(CONCAT(record_id, @version, @drain))), 1, 20) AS next_run,
  (SELECT 0) AS dimensions_seen,
  (SELECT COUNT(*) FROM inventory_ops.load_stages WHERE stage = 'transform' AND state = 'transformed' AND feed NOT IN ('exchange_rates')) AS others_seen
FROM inventory_ops.load_stages
WHERE stage = 'validate' AND load_id IN UNNEST(@loads)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1;

CREATE TEMP TABLE accepted AS
SELECT * FROM inventory_raw.exchange_rates_accepted WHERE _load_id IN UNNEST(@loads);

CREATE TEMP TABLE typed AS
WITH model AS (
  -- Exchange rates: units of the base currency for one unit of a currency, at the close of a day.
  WITH stated AS (
    SELECT
      inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
      inventory_curated.to_code(inventory_curated.to_word(currency)) AS currency,
      inventory_curated.to_number(rate_to_base, _decimal) AS rate_to_base,
      _load_id,
      _line,
      _generation,
      _landed_at
    FROM accepted
  )
  SELECT
    business_date,
    currency,
    rate_to_base,
    _load_id,
    _line,
    _landed_at AS _business_time,
    _generation,
    CAST(NULL AS STRING) AS _issue
  FROM stated
)
SELECT
  model.* EXCEPT (_issue),
  CASE
    WHEN model._issue IS NOT NULL THEN model._issue
    WHEN model.business_date IS NULL AND NOT inventory_curated.is_blank(raw.business_date, 'date')
      THEN CONCAT('unreadable|business_date|', REPLACE(raw.business_date, '|', ' '), '|a date')
    WHEN model.currency IS NULL AND NOT inventory_curated.is_blank(raw.currency, 'word')
      THEN CONCAT('unreadable|currency|', REPLACE(raw.currency, '|', ' '), '|a known value')
    WHEN model.rate_to_base IS NULL AND NOT inventory_curated.is_blank(raw.rate_to_base, 'number') AND (inventory_curated.to_number(raw.rate_to_base, raw._decimal) IS NOT NULL OR REGEXP_CONTAINS(raw.rate_to_base, r'[0-9]{29}|[0-9][eE][+]?[0-9]{2}'))
      THEN CONCAT('out_of_range|rate_to_base|', REPLACE(raw.rate_to_base, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.rate_to_base IS NULL AND NOT inventory_curated.is_blank(raw.rate_to_base, 'number')
      THEN CONCAT('unreadable|rate_to_base|', REPLACE(raw.rate_to_base, '|', ' '), '|a number')
    WHEN model.business_date IS NULL THEN 'missing|business_date||a value'
    WHEN model.currency IS NULL THEN 'missing|currency||a value'
    WHEN model.rate_to_base IS NULL THEN 'missing|rate_to_base||a value'
  END AS _issue,
  TO_JSON_STRING(STRUCT(
    raw.business_date AS business_date, raw.currency AS currency, raw.rate_to_base AS rate_to_base
  )) AS _original
FROM model
JOIN accepted AS raw ON raw._load_id = model._load_id AND raw._line = model._line;

-- a transaction takes no ASSERT
IF (SELECT COUNT(*) FROM typed) != (SELECT COUNT(*) FROM accepted) THEN
  RAISE USING MESSAGE = 'the model of exchange_rates must return exactly one row per accepted row';
END IF;

-- What wins now, for each key that these loads state or stated, next to what won before.
CREATE TEMP TABLE changes AS
WITH touched AS (
  SELECT business_date, currency FROM typed WHERE _issue IS NULL
  UNION DISTINCT
  SELECT business_date, currency FROM inventory_curated.exchange_rates_history WHERE _load_id IN UNNEST(@loads)
),
statements AS (
  SELECT business_date, currency, rate_to_base, _load_id, _line, _business_time, _generation FROM typed WHERE _issue IS NULL
  UNION ALL
  SELECT history.business_date, history.currency, history.rate_to_base, history._load_id, history._line, history._business_time, history._generation
  FROM inventory_curated.exchange_rates_history AS history
  JOIN touched ON touched.business_date = history.business_date AND touched.currency = history.currency
  WHERE history._load_id NOT IN UNNEST(@loads)
),
winners AS (
  SELECT *
  FROM statements
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY business_date, currency ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _line DESC
  ) = 1
)
SELECT
  touched.business_date, touched.currency,
  now.rate_to_base, now._load_id, now._line, now._business_time, now._generation,
  was._load_id AS _was_load_id, was.business_date AS _was_business_date, was.currency AS _was_currency, was.rate_to_base AS _was_rate_to_base,
  now._load_id IS NULL OR was._load_id IS NULL
  OR now.rate_to_base IS DISTINCT FROM was.rate_to_base AS _content_changed
FROM touched
LEFT JOIN winners AS now ON touched.business_date = now.business_date AND touched.currency = now.currency
LEFT JOIN inventory_curated.exchange_rates AS was ON touched.business_date = was.business_date AND touched.currency = was.currency
WHERE now._load_id IS DISTINCT FROM was._load_id
  OR now._line IS DISTINCT FROM was._line
  OR now._business_time IS DISTINCT FROM was._business_time
  OR now.rate_to_base IS DISTINCT FROM was.rate_to_base;

DELETE FROM inventory_curated.exchange_rates_history WHERE _load_id IN UNNEST(@loads);

INSERT INTO inventory_curated.exchange_rates_history (business_date, currency, rate_to_base, _load_id, _line, _business_time, _generation, _updated_at)
SELECT business_date, currency, rate_to_base, _load_id, _line, _business_time, _generation, CURRENT_TIMESTAMP() FROM typed WHERE _issue IS NULL;

DELETE FROM inventory_curated.exchange_rates kept
WHERE EXISTS (SELECT 1 FROM changes WHERE changes.business_date = kept.business_date AND changes.currency = kept.currency);

INSERT INTO inventory_curated.exchange_rates (business_date, currency, rate_to_base, _load_id, _line, _business_time, _generation, _updated_at)
SELECT business_date, currency, rate_to_base, _load_id, _line, _business_time, _generation, CURRENT_TIMESTAMP() FROM changes WHERE _load_id IS NOT NULL;

INSERT INTO inventory_ops.quarantine_rows (
  run_id, load_id, feed, line, stage, rule, column_name, value, expected, message, severity, original_row, recorded_at
)
SELECT
  batch.next_run,
  typed._load_id,
  'exchange_rates',
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
  FROM inventory_curated.exchange_rates
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
  FROM (SELECT _load_id, _was_load_id, CAST(business_date AS STRING) AS day FROM changes WHERE _content_changed UNION ALL SELECT _load_id, _was_load_id, CAST(_was_business_date AS STRING) AS day FROM changes WHERE _content_changed)
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
  batch.load_id, 'exchange_rates', batch.bucket, batch.object, batch.generation,
  'transform', 'transformed', @version, batch.next_run, batch.record_id,
  COALESCE(counted.passed, 0) + COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0),
  COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0) - COALESCE(kept.kept, 0),
  batch.content_md5, batch.size_bytes, batch.landed_at, @started, clock.finished_at,
  CONCAT(
    -- in two pieces, so that the name stays free of an environment's prefix
    '{"tables":["inventory', '_curated.exchange_rates"],"dates":[', COALESCE(days.dates, ''),
    '],"all_dates":', IF(COALESCE(days.all_dates, FALSE), 'true', 'false'), '}'
  )
FROM batch
CROSS JOIN clock
LEFT JOIN counted ON counted.load_id = batch.load_id
LEFT JOIN kept ON kept.load_id = batch.load_id
LEFT JOIN days ON days.load_id = batch.load_id;

-- Loads of other feeds that say something else now that exchange_rates changed: to be transformed again.
IF EXISTS (SELECT 1 FROM changes WHERE _content_changed) THEN
  INSERT INTO inventory_ops.load_stages
  SELECT latest.* EXCEPT (kpi_record, marked_at, marked) REPLACE (
    -- as StageRecord.record_id says it
    SUBSTR(TO_HEX(SHA256(CONCAT(
      CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform',
      CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending',
      CAST(LENGTH(latest.marked) AS STRING), ':', latest.marked
    ))), 1, 20) AS record_id,
    'pending' AS state,
    CAST(NULL AS STRING) AS input_record,
    'exchange_rates_changed' AS reason_code,
    'a later file of exchange_rates changes what this load says' AS message,
    latest.marked_at AS finished_at,
    IF(latest.kpi_record = latest.record_id, NULL, latest.detail) AS detail
  )
  FROM (
    SELECT
      done.*,
      kpi.input_record AS kpi_record,
      clock.marked_at,
      IF(
        EXTRACT(MICROSECOND FROM clock.marked_at) = 0,
        FORMAT_TIMESTAMP('%FT%H:%M:%S+00:00', clock.marked_at),
        FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.marked_at)
      ) AS marked
    FROM inventory_ops.load_stages_latest AS done
    LEFT JOIN inventory_ops.load_stages_latest AS kpi ON kpi.load_id = done.load_id AND kpi.stage = 'kpi'
    CROSS JOIN (SELECT CURRENT_TIMESTAMP() AS marked_at) AS clock
    WHERE done.stage = 'transform' AND done.state = 'transformed'
  ) AS latest
  WHERE latest.load_id IN (
    -- Loads with money in a currency whose rate on their days is now another, or known at last.
    WITH changed AS (
      SELECT currency, business_date
      FROM changes
      WHERE _content_changed
    ),
    statements AS (
      SELECT _load_id AS load_id, stated_currency, business_date FROM inventory_curated.stock_snapshots_history
      UNION ALL
      SELECT _load_id, stated_currency, business_date FROM inventory_curated.stock_movements_history
      UNION ALL
      SELECT _load_id, stated_currency, business_date FROM inventory_curated.sales_history
      UNION ALL
      SELECT _load_id, stated_currency, business_date FROM inventory_curated.purchase_orders_history
      UNION ALL
      SELECT _load_id, stated_currency, DATE(_business_time) FROM inventory_curated.products_history
      UNION ALL
      SELECT load_id, value, SAFE_CAST(REGEXP_EXTRACT(expected, r'[0-9]{4}-[0-9]{2}-[0-9]{2}$') AS DATE)
      FROM inventory_ops.quarantine
      WHERE stage = 'transform' AND rule = 'unknown_exchange_rate'
    )
    SELECT DISTINCT statements.load_id
    FROM statements
    JOIN changed
      ON changed.currency = statements.stated_currency
      AND statements.business_date BETWEEN changed.business_date AND DATE_ADD(changed.business_date, INTERVAL 7 DAY)
  );
END IF;

COMMIT TRANSACTION;

IF (SELECT COUNT(*) FROM inventory_ops.load_stages WHERE stage = 'transform' AND state = 'transformed' AND feed NOT IN ('exchange_rates')) != (SELECT MAX(others_seen) FROM batch) THEN
  -- Loads of other feeds that say something else now that exchange_rates changed: to be transformed again.
  IF EXISTS (SELECT 1 FROM changes WHERE _content_changed) THEN
    INSERT INTO inventory_ops.load_stages
    SELECT latest.* EXCEPT (kpi_record, marked_at, marked) REPLACE (
      -- as StageRecord.record_id says it
      SUBSTR(TO_HEX(SHA256(CONCAT(
        CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform',
        CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending',
        CAST(LENGTH(latest.marked) AS STRING), ':', latest.marked
      ))), 1, 20) AS record_id,
      'pending' AS state,
      CAST(NULL AS STRING) AS input_record,
      'exchange_rates_changed' AS reason_code,
      'a later file of exchange_rates changes what this load says' AS message,
      latest.marked_at AS finished_at,
      IF(latest.kpi_record = latest.record_id, NULL, latest.detail) AS detail
    )
    FROM (
      SELECT
        done.*,
        kpi.input_record AS kpi_record,
        clock.marked_at,
        IF(
          EXTRACT(MICROSECOND FROM clock.marked_at) = 0,
          FORMAT_TIMESTAMP('%FT%H:%M:%S+00:00', clock.marked_at),
          FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.marked_at)
        ) AS marked
      FROM inventory_ops.load_stages_latest AS done
      LEFT JOIN inventory_ops.load_stages_latest AS kpi ON kpi.load_id = done.load_id AND kpi.stage = 'kpi'
      CROSS JOIN (SELECT CURRENT_TIMESTAMP() AS marked_at) AS clock
      WHERE done.stage = 'transform' AND done.state = 'transformed'
    ) AS latest
    WHERE latest.load_id IN (
      -- Loads with money in a currency whose rate on their days is now another, or known at last.
      WITH changed AS (
        SELECT currency, business_date
        FROM changes
        WHERE _content_changed
      ),
      statements AS (
        SELECT _load_id AS load_id, stated_currency, business_date FROM inventory_curated.stock_snapshots_history
        UNION ALL
        SELECT _load_id, stated_currency, business_date FROM inventory_curated.stock_movements_history
        UNION ALL
        SELECT _load_id, stated_currency, business_date FROM inventory_curated.sales_history
        UNION ALL
        SELECT _load_id, stated_currency, business_date FROM inventory_curated.purchase_orders_history
        UNION ALL
        SELECT _load_id, stated_currency, DATE(_business_time) FROM inventory_curated.products_history
        UNION ALL
        SELECT load_id, value, SAFE_CAST(REGEXP_EXTRACT(expected, r'[0-9]{4}-[0-9]{2}-[0-9]{2}$') AS DATE)
        FROM inventory_ops.quarantine
        WHERE stage = 'transform' AND rule = 'unknown_exchange_rate'
      )
      SELECT DISTINCT statements.load_id
      FROM statements
      JOIN changed
        ON changed.currency = statements.stated_currency
        AND statements.business_date BETWEEN changed.business_date AND DATE_ADD(changed.business_date, INTERVAL 7 DAY)
    );
  END IF;
END IF;

SELECT done.*, (SELECT 0) != batch.dimensions_seen AS overtaken
FROM batch
JOIN inventory_ops.load_stages AS done ON done.run_id = batch.next_run
ORDER BY done.load_id;
