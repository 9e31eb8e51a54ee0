-- One drain of exchange_rates: @loads go from raw to curated in one transaction. Built by merge.py.
-- @records are the validations that were found complete; @days the landing days of the loads, @near those on which
-- other generations of their objects may have landed; a newer generation of @replacing loads' objects replaces them.
-- Whether raw holds the rows that validation counted, and the model answers each; whether rows are refused; whether
-- these loads were transformed before; whether they make other loads' statements count or not count any more; one of
-- both.
DECLARE complete, refusing, again, replacing_others, restating, overtaken BOOL;
DECLARE business_dates ARRAY<DATE>;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_exchange_rates AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_products AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_purchase_orders AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_sales AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_stock_movements AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_stock_snapshots AS SELECT 0 AS turn;
BEGIN TRANSACTION;

-- Two drains of one feed at once both change this row, so BigQuery aborts the later one.
UPDATE inventory_curated.turn_exchange_rates SET turn = turn + 1 WHERE TRUE;

CREATE TEMP TABLE batch AS
SELECT
  load_id, bucket, object, generation, run_id, raw_run_id, record_id, state, `rows`, content_md5, size_bytes,
  landed_at, landed_on,
  COALESCE(JSON_VALUE(detail, '$.decimal_mark'), '.') AS decimal_mark,
  COALESCE(JSON_VALUE(detail, '$.date_order'), 'ymd') AS date_order,
  COALESCE(JSON_VALUE(detail, '$.time_zone'), 'UTC') AS time_zone,
  load_id IN UNNEST(@replacing) AS replaces,
  SUBSTR(TO_HEX(SHA256(CONCAT(record_id, @version, @drain))), 1, 20) AS next_run,
  (SELECT '') AS dimensions_seen,
  (SELECT (SELECT MAX(turn) FROM inventory_curated.turn_products) + (SELECT MAX(turn) FROM inventory_curated.turn_purchase_orders) + (SELECT MAX(turn) FROM inventory_curated.turn_sales) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_movements) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_snapshots)) AS others_seen
FROM inventory_ops.load_stages
WHERE landed_on IN UNNEST(@days)
  AND load_id IN UNNEST(@loads)
  AND stage = 'validate'
  AND record_id IN UNNEST(@records)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1;

-- The rows of the committed runs, without those that validation refused.
CREATE TEMP TABLE accepted AS
SELECT
  raw._load_id, raw._row, raw._line, raw.business_date, raw.currency, raw.rate_to_base, raw.per_currency,
  batch.decimal_mark AS _decimal,
  batch.date_order AS _date_order,
  batch.time_zone AS _time_zone,
  batch.generation AS _generation,
  batch.landed_at AS _landed_at
FROM inventory_raw.exchange_rates AS raw
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
  -- Exchange rates: units of the base currency for one unit of a currency, at the close of a day. A rate that is quoted for
  -- one unit of the base currency (`per_currency`), as central banks do, is inverted.
  WITH stated AS (
    SELECT
      inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
      inventory_curated.to_code(inventory_curated.to_word(currency)) AS currency,
      inventory_curated.to_number(rate_to_base, _decimal) AS stated_rate,
      inventory_curated.to_code(inventory_curated.to_word(per_currency)) AS per_currency,
      _load_id,
      _row,
      _line,
      _generation,
      _landed_at
    FROM accepted
  ),
  turned AS (
    SELECT
      stated.*,
      CASE
        WHEN COALESCE(per_currency, currency) = currency THEN stated_rate
        WHEN per_currency = inventory_curated.base_currency() THEN SAFE_DIVIDE(NUMERIC '1', stated_rate)
      END AS rate_to_base
    FROM stated
  )
  SELECT
    business_date,
    currency,
    rate_to_base,
    per_currency,
    _load_id,
    _row,
    _line,
    _landed_at AS _business_time,
    _generation,
    CASE
      WHEN per_currency NOT IN (currency, inventory_curated.base_currency())
        THEN CONCAT('unknown_quotation|per_currency|', per_currency, '|', inventory_curated.base_currency(), ' or ', currency)
      WHEN currency = inventory_curated.base_currency() AND rate_to_base != 1
        THEN CONCAT('base_currency_rate|rate_to_base|', CAST(stated_rate AS STRING), '|1, or rates of other currencies')
      WHEN rate_to_base > 1000
        THEN CONCAT('rate_out_of_range|rate_to_base|', CAST(stated_rate AS STRING), '|at most 1000 ',
          inventory_curated.base_currency(), ' for one unit; quoted for one ', inventory_curated.base_currency(),
          ', say so in per_currency')
    END AS _issue
  FROM turned
)
SELECT
  model.* EXCEPT (_issue),
  CASE
    WHEN model._issue IS NOT NULL THEN model._issue
    WHEN model.business_date IS NULL AND NOT inventory_curated.is_blank(raw.business_date, 'date')
      THEN CONCAT('unreadable|business_date|', REPLACE(raw.business_date, '|', ' '), '|a date')
    WHEN model.currency IS NULL AND NOT inventory_curated.is_blank(raw.currency, 'word')
      THEN CONCAT('unreadable|currency|', REPLACE(raw.currency, '|', ' '), '|a known value')
    WHEN model.rate_to_base IS NULL AND NOT inventory_curated.is_blank(raw.rate_to_base, 'number') AND inventory_curated.is_number(raw.rate_to_base, raw._decimal)
      THEN CONCAT('out_of_range|rate_to_base|', REPLACE(raw.rate_to_base, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.rate_to_base IS NULL AND NOT inventory_curated.is_blank(raw.rate_to_base, 'number')
      THEN CONCAT('unreadable|rate_to_base|', REPLACE(raw.rate_to_base, '|', ' '), '|a number')
    WHEN model.per_currency IS NULL AND NOT inventory_curated.is_blank(raw.per_currency, 'word')
      THEN CONCAT('unreadable|per_currency|', REPLACE(raw.per_currency, '|', ' '), '|a known value')
    WHEN model.business_date IS NULL THEN 'missing|business_date||a value'
    WHEN model.currency IS NULL THEN 'missing|currency||a value'
    WHEN model.rate_to_base IS NULL THEN 'missing|rate_to_base||a value'
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
  RAISE USING MESSAGE = 'raw must hold the rows that validation counted, and the model of exchange_rates return one for each';
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
      AND feed = 'exchange_rates'
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
  FROM inventory_curated.exchange_rates_history
  WHERE _replaced_by IN UNNEST(@loads)
    AND _load_id NOT IN UNNEST(@loads)
    AND _load_id NOT IN (SELECT load_id FROM generations);
END IF;

SET replacing_others = EXISTS (SELECT 1 FROM generations WHERE load_id NOT IN UNNEST(@loads));

SET restating = again OR replacing_others;

-- The keys that these loads state or stated, or that generations state which these loads replace or give back.
CREATE TEMP TABLE touched AS SELECT DISTINCT business_date, currency FROM typed WHERE _issue IS NULL;

IF restating THEN
  INSERT INTO touched (business_date, currency)
  SELECT business_date, currency
  FROM inventory_curated.exchange_rates_history
  WHERE _load_id IN UNNEST(@loads) OR _load_id IN (SELECT load_id FROM generations)
  EXCEPT DISTINCT
  SELECT business_date, currency FROM touched;
END IF;

SET business_dates = (SELECT ARRAY_AGG(DISTINCT business_date) FROM touched);

-- What won before, of these keys.
CREATE TEMP TABLE before AS
SELECT was.business_date, was.currency, was.rate_to_base, was.per_currency, was._load_id, was._row, was._line, was._business_time, was._generation
FROM inventory_curated.exchange_rates AS was
JOIN touched ON touched.business_date = was.business_date AND touched.currency = was.currency
    AND was.business_date IN UNNEST(business_dates);

-- What is stated by these loads and was stated before. Only where statements leave does the history say which one wins
-- without them; else it is the one that won before, or a new one.
IF restating THEN
  CREATE TEMP TABLE statements AS
  SELECT business_date, currency, rate_to_base, per_currency, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT history.business_date, history.currency, history.rate_to_base, history.per_currency, history._load_id, history._row, history._line, history._business_time, history._generation
  FROM inventory_curated.exchange_rates_history AS history
  JOIN touched ON touched.business_date = history.business_date AND touched.currency = history.currency
  LEFT JOIN generations ON generations.load_id = history._load_id
  WHERE history._load_id NOT IN UNNEST(@loads)
    AND IF(generations.load_id IS NULL, history._replaced_by, generations.replaced_by) IS NULL
    AND history.business_date IN UNNEST(business_dates);
ELSE
  CREATE TEMP TABLE statements AS
  SELECT business_date, currency, rate_to_base, per_currency, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT business_date, currency, rate_to_base, per_currency, _load_id, _row, _line, _business_time, _generation FROM before;
END IF;

-- What wins now, for each of these keys, next to what won before.
CREATE TEMP TABLE changes AS
WITH winners AS (
  SELECT *
  FROM statements
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY business_date, currency ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) = 1
)
SELECT
  touched.business_date, touched.currency,
  now.rate_to_base, now.per_currency, now._load_id, now._row, now._line, now._business_time, now._generation,
  was._load_id AS _was_load_id, was.business_date AS _was_business_date, was.currency AS _was_currency, was.rate_to_base AS _was_rate_to_base, was.per_currency AS _was_per_currency,
  now._load_id IS NULL OR was._load_id IS NULL
  OR now.rate_to_base IS DISTINCT FROM was.rate_to_base
  OR now.per_currency IS DISTINCT FROM was.per_currency AS _content_changed
FROM touched
LEFT JOIN winners AS now ON touched.business_date = now.business_date AND touched.currency = now.currency
LEFT JOIN before AS was ON touched.business_date = was.business_date AND touched.currency = was.currency
WHERE now._load_id IS DISTINCT FROM was._load_id
  OR now._row IS DISTINCT FROM was._row
  OR now._line IS DISTINCT FROM was._line
  OR now._business_time IS DISTINCT FROM was._business_time
  OR now.rate_to_base IS DISTINCT FROM was.rate_to_base
  OR now.per_currency IS DISTINCT FROM was.per_currency;

IF again THEN
  DELETE FROM inventory_curated.exchange_rates_history AS history
  WHERE history._load_id IN UNNEST(@loads)
    AND history.business_date IN UNNEST(business_dates);
END IF;

INSERT INTO inventory_curated.exchange_rates_history (business_date, currency, rate_to_base, per_currency, _load_id, _row, _line, _business_time, _generation, _updated_at, _replaced_by)
SELECT business_date, currency, rate_to_base, per_currency, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP(), generations.replaced_by
FROM typed
LEFT JOIN generations ON generations.load_id = typed._load_id
WHERE typed._issue IS NULL;

IF replacing_others THEN
  UPDATE inventory_curated.exchange_rates_history AS history
  SET _replaced_by = generations.replaced_by, _updated_at = CURRENT_TIMESTAMP()
  FROM generations
  WHERE generations.load_id = history._load_id
    AND history._load_id NOT IN UNNEST(@loads)
    AND history._replaced_by IS DISTINCT FROM generations.replaced_by
    AND history.business_date IN UNNEST(business_dates);
END IF;

IF EXISTS (SELECT 1 FROM changes WHERE _was_load_id IS NOT NULL) THEN
  DELETE FROM inventory_curated.exchange_rates AS kept
  WHERE EXISTS (SELECT 1 FROM changes WHERE changes.business_date = kept.business_date AND changes.currency = kept.currency)
    AND kept.business_date IN UNNEST(business_dates);
END IF;

INSERT INTO inventory_curated.exchange_rates (business_date, currency, rate_to_base, per_currency, _load_id, _row, _line, _business_time, _generation, _updated_at)
SELECT business_date, currency, rate_to_base, per_currency, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP() FROM changes WHERE _load_id IS NOT NULL;

IF refusing THEN
  INSERT INTO inventory_ops.quarantine_rows (
    run_id, load_id, feed, `row`, line, stage, rule, column_name, value, expected, message, severity, original_row,
    recorded_at, landed_on
  )
  SELECT
    batch.next_run,
    typed._load_id,
    'exchange_rates',
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
      raw.business_date AS business_date, raw.currency AS currency, raw.rate_to_base AS rate_to_base, raw.per_currency AS per_currency
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
  FROM inventory_curated.exchange_rates AS kept
  WHERE _load_id IN UNNEST(@loads)
    AND kept.business_date IN UNNEST(business_dates)
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
        WHEN COALESCE(JSON_QUERY(detail, '$.columns'), JSON_QUERY(detail, '$.keys')) IS NULL THEN ['']
        ELSE JSON_VALUE_ARRAY(COALESCE(JSON_QUERY(detail, '$.columns'), JSON_QUERY(detail, '$.besides')))
      END AS days
    FROM unseen_runs
  ) AS said
  CROSS JOIN UNNEST(said.days) AS day
  UNION ALL
  SELECT load_id, CONCAT('#', said)
  FROM unseen_runs
  CROSS JOIN UNNEST(JSON_VALUE_ARRAY(detail, '$.keys')) AS said
),
touched_days AS (
  SELECT
    CASE
      WHEN _load_id IN UNNEST(@loads) THEN _load_id
      WHEN _was_load_id IN UNNEST(@loads) THEN _was_load_id
      ELSE (SELECT MIN(load_id) FROM batch)
    END AS load_id,
    day
  FROM (SELECT _load_id, _was_load_id, CAST(business_date AS STRING) AS day FROM changes WHERE _content_changed UNION ALL SELECT _load_id, _was_load_id, CAST(_was_business_date AS STRING) AS day FROM changes WHERE _content_changed)
  UNION ALL
  SELECT load_id, day FROM unseen
),
days AS (
  SELECT
    load_id,
    STRING_AGG(DISTINCT IF(REGEXP_CONTAINS(day, r'^[*#]'), NULL, CONCAT('"', day, '"')), ',') AS dates,
    LOGICAL_OR(REGEXP_CONTAINS(day, r'^[*#]')) AS all_dates,
    -- all days of the dimension: nothing says which columns or keys, or too many keys came or went to be named
    LOGICAL_OR(day = '*') OR COUNT(DISTINCT IF(STARTS_WITH(day, '#'), day, NULL)) > 200 AS is_whole,
    STRING_AGG(DISTINCT CONCAT('"', REGEXP_EXTRACT(day, r'^[*](.+)'), '"'), ',') AS columns,
    STRING_AGG(DISTINCT IF(STARTS_WITH(day, '#'), TO_JSON_STRING(SUBSTR(day, 2)), NULL), ',') AS `keys`
  FROM touched_days
  WHERE day IS NOT NULL
  GROUP BY load_id
),
restated AS (
  SELECT CAST(NULL AS STRING) AS load_id, CAST(NULL AS STRING) AS said
),
clock AS (
  SELECT CURRENT_TIMESTAMP() AS finished_at
)
SELECT
  SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(batch.load_id) AS STRING), ':', batch.load_id, '9:transform', CAST(LENGTH(@version) AS STRING), ':', @version, '11:transformed', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.finished_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.finished_at), r'[.]000000', '')))), 1, 20),
  batch.load_id, 'exchange_rates', batch.bucket, batch.object, batch.generation,
  'transform', 'transformed', @version, batch.next_run, batch.raw_run_id, batch.record_id,
  COALESCE(counted.passed, 0) + COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0),
  COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0) - COALESCE(kept.kept, 0),
  batch.content_md5, batch.size_bytes, batch.landed_at, batch.landed_on, @started, clock.finished_at,
  CONCAT(
    -- in two pieces, so that the name stays free of an environment's prefix
    '{"tables":["inventory', '_curated.exchange_rates"],"dates":[', COALESCE(days.dates, ''),
    '],"all_dates":', IF(COALESCE(days.all_dates, FALSE), 'true', 'false'),
    CASE
      WHEN days.all_dates IS NOT TRUE OR days.is_whole THEN ''
      WHEN days.`keys` IS NULL THEN CONCAT(',"columns":[', days.columns, ']')
      ELSE CONCAT(',"keys":[', days.`keys`, '],"besides":[', COALESCE(days.columns, ''), ']')
    END,
    COALESCE(CONCAT(',"replaced_by":"', generations.replaced_by, '"'), ''),
    COALESCE(restated.said, ''), '}'
  )
FROM batch
CROSS JOIN clock
LEFT JOIN counted ON counted.load_id = batch.load_id
LEFT JOIN kept ON kept.load_id = batch.load_id
LEFT JOIN days ON days.load_id = batch.load_id
LEFT JOIN generations ON generations.load_id = batch.load_id
LEFT JOIN restated ON restated.load_id = batch.load_id;

CREATE TEMP TABLE requeued (load_id STRING, feed STRING, landed_on DATE);

-- These loads were transformed before, perhaps by a script that died behind its COMMIT. Then nobody looked at what was
-- committed next to it: loads that were transformed within ten minutes of it are transformed again.
IF again THEN
  INSERT INTO requeued (load_id, feed, landed_on)
  SELECT DISTINCT beside.load_id, beside.feed, beside.landed_on
  FROM inventory_ops.load_stages_latest AS beside
  JOIN (
    SELECT
      TIMESTAMP_SUB(started_at, INTERVAL 10 MINUTE) AS since,
      TIMESTAMP_ADD(finished_at, INTERVAL 10 MINUTE) AS until
    FROM inventory_ops.load_stages
    WHERE landed_on IN UNNEST(@days)
      AND load_id IN UNNEST(@loads)
      AND stage = 'transform'
      AND state = 'transformed'
      AND run_id NOT IN (SELECT next_run FROM batch)
      AND finished_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
  ) AS earlier
    ON beside.finished_at BETWEEN earlier.since AND earlier.until
  WHERE beside.landed_on >= DATE '2000-01-01'
    AND beside.feed IN ('products', 'purchase_orders', 'sales', 'stock_movements', 'stock_snapshots')
    AND beside.stage = 'transform'
    AND beside.state = 'transformed';
END IF;

-- Loads of other feeds that say something else now that exchange_rates changed: to be transformed again.
IF EXISTS (SELECT 1 FROM changes WHERE _content_changed) THEN
  INSERT INTO requeued (load_id, feed, landed_on)
  SELECT load_id, feed, landed_on
  FROM inventory_ops.load_stages_latest
  WHERE landed_on >= DATE '2000-01-01' AND stage = 'transform' AND state = 'transformed' AND load_id IN (
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

IF EXISTS (SELECT 1 FROM requeued) THEN
  INSERT INTO inventory_ops.load_stages (`record_id`, `landed_on`, `load_id`, `feed`, `stage`, `state`, `stage_version`, `started_at`, `finished_at`, `bucket`, `object`, `generation`, `run_id`, `raw_run_id`, `input_record`, `lines`, `rows`, `rejects`, `quarantined`, `superseded`, `reason_code`, `message`, `content_md5`, `size_bytes`, `landed_at`, `detail`)
  SELECT SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform', CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')))), 1, 20), latest.`landed_on`, latest.`load_id`, latest.`feed`, latest.`stage`, 'pending', latest.`stage_version`, latest.`started_at`, latest.marked_at, latest.`bucket`, latest.`object`, latest.`generation`, latest.`run_id`, latest.`raw_run_id`, CAST(NULL AS STRING), latest.`lines`, latest.`rows`, latest.`rejects`, latest.`quarantined`, latest.`superseded`, 'exchange_rates_changed', 'a later file of exchange_rates changes what this load says', latest.`content_md5`, latest.`size_bytes`, latest.`landed_at`, CAST(NULL AS STRING)
  FROM (
    SELECT done.*, CURRENT_TIMESTAMP() AS marked_at
    FROM inventory_ops.load_stages_latest AS done
    WHERE done.landed_on >= DATE '2000-01-01'
      AND done.stage = 'transform'
      AND done.state = 'transformed'
      AND done.load_id IN (SELECT load_id FROM requeued)
  ) AS latest;
END IF;

COMMIT TRANSACTION;

IF (SELECT MAX(turn) FROM inventory_curated.turn_products) + (SELECT MAX(turn) FROM inventory_curated.turn_purchase_orders) + (SELECT MAX(turn) FROM inventory_curated.turn_sales) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_movements) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_snapshots) != (SELECT MAX(others_seen) FROM batch) THEN
  -- Loads of other feeds that say something else now that exchange_rates changed: to be transformed again.
  IF EXISTS (SELECT 1 FROM changes WHERE _content_changed) THEN
    INSERT INTO requeued (load_id, feed, landed_on)
    SELECT load_id, feed, landed_on
    FROM inventory_ops.load_stages_latest
    WHERE landed_on >= DATE '2000-01-01' AND stage = 'transform' AND state = 'transformed' AND load_id IN (
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

  IF EXISTS (SELECT 1 FROM requeued) THEN
    INSERT INTO inventory_ops.load_stages (`record_id`, `landed_on`, `load_id`, `feed`, `stage`, `state`, `stage_version`, `started_at`, `finished_at`, `bucket`, `object`, `generation`, `run_id`, `raw_run_id`, `input_record`, `lines`, `rows`, `rejects`, `quarantined`, `superseded`, `reason_code`, `message`, `content_md5`, `size_bytes`, `landed_at`, `detail`)
    SELECT SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform', CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')))), 1, 20), latest.`landed_on`, latest.`load_id`, latest.`feed`, latest.`stage`, 'pending', latest.`stage_version`, latest.`started_at`, latest.marked_at, latest.`bucket`, latest.`object`, latest.`generation`, latest.`run_id`, latest.`raw_run_id`, CAST(NULL AS STRING), latest.`lines`, latest.`rows`, latest.`rejects`, latest.`quarantined`, latest.`superseded`, 'exchange_rates_changed', 'a later file of exchange_rates changes what this load says', latest.`content_md5`, latest.`size_bytes`, latest.`landed_at`, CAST(NULL AS STRING)
    FROM (
      SELECT done.*, CURRENT_TIMESTAMP() AS marked_at
      FROM inventory_ops.load_stages_latest AS done
      WHERE done.landed_on >= DATE '2000-01-01'
        AND done.stage = 'transform'
        AND done.state = 'transformed'
        AND done.load_id IN (SELECT load_id FROM requeued)
    ) AS latest;
  END IF;
END IF;

SET overtaken = FALSE;

SELECT done.*, overtaken, (
    SELECT STRING_AGG(CONCAT(feed, ' ', CAST(landed_on AS STRING), ' ', load_id), ',')
    FROM (SELECT feed, landed_on, MIN(load_id) AS load_id FROM requeued GROUP BY feed, landed_on)
  ) AS requeued
FROM batch
JOIN inventory_ops.load_stages AS done ON done.run_id = batch.next_run
WHERE done.landed_on IN UNNEST(@days) AND done.state = 'transformed'
ORDER BY done.load_id;
