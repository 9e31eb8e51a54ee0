-- One drain of sales: @loads go from raw to curated in one transaction. Built by merge.py.
-- @records are the validations that were found complete; @days the landing days of the loads, @near those on which
-- other generations of their objects may have landed; a newer generation of @replacing loads' objects replaces them.
-- Whether raw holds the rows that validation counted, and the model answers each; whether rows are refused; whether
-- these loads were transformed before; whether they make other loads' statements count or not count any more; one of
-- both.
DECLARE complete, refusing, again, replacing_others, restating, overtaken BOOL;
DECLARE business_dates ARRAY<DATE>;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_sales AS SELECT 0 AS turn;
BEGIN TRANSACTION;

-- Two drains of one feed at once both change this row, so BigQuery aborts the later one.
UPDATE inventory_curated.turn_sales SET turn = turn + 1 WHERE TRUE;

CREATE TEMP TABLE batch AS
SELECT
  load_id, bucket, object, generation, run_id, raw_run_id, record_id, state, `rows`, content_md5, size_bytes,
  landed_at, landed_on,
  COALESCE(JSON_VALUE(detail, '$.decimal_mark'), '.') AS decimal_mark,
  COALESCE(JSON_VALUE(detail, '$.date_order'), 'ymd') AS date_order,
  COALESCE(JSON_VALUE(detail, '$.time_zone'), 'UTC') AS time_zone,
  load_id IN UNNEST(@replacing) AS replaces,
  SUBSTR(TO_HEX(SHA256(CONCAT(record_id, @version, @drain))), 1, 20) AS next_run,
  (SELECT CONCAT((SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM inventory_curated.products_history), (SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM inventory_curated.exchange_rates))) AS dimensions_seen,
  (SELECT 0) AS others_seen
FROM inventory_ops.load_stages
WHERE landed_on IN UNNEST(@days)
  AND load_id IN UNNEST(@loads)
  AND stage = 'validate'
  AND record_id IN UNNEST(@records)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1;

-- The rows of the committed runs, without those that validation refused.
CREATE TEMP TABLE accepted AS
SELECT
  raw._load_id, raw._row, raw._line, raw.receipt_number, raw.line_number, raw.business_date, raw.till_number, raw.sold_at, raw.sku, raw.location_code, raw.quantity, raw.unit, raw.net_amount, raw.gross_amount, raw.currency,
  batch.decimal_mark AS _decimal,
  batch.date_order AS _date_order,
  batch.time_zone AS _time_zone,
  batch.generation AS _generation,
  batch.landed_at AS _landed_at
FROM inventory_raw.sales AS raw
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
  -- Sales: typed, in the base unit and the base currency. One row per accepted line.
  WITH worded AS (
    -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
    SELECT accepted.* REPLACE (
      inventory_curated.to_word(unit) AS unit,
      inventory_curated.to_word(currency) AS currency
    )
    FROM accepted AS accepted
  ),
  coded AS (
    SELECT worded.* REPLACE (
      COALESCE(inventory_curated.to_code(currency), inventory_curated.base_currency()) AS currency
    )
    FROM worded
  ),
  bare AS (
    SELECT coded.* REPLACE (
      inventory_curated.bare_amount(net_amount, currency) AS net_amount,
      inventory_curated.bare_amount(gross_amount, currency) AS gross_amount
    )
    FROM coded
  ),
  stated AS (
    SELECT
      inventory_curated.to_code(receipt_number) AS receipt_number,
      inventory_curated.to_integer(line_number, _decimal) AS line_number,
      inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
      COALESCE(inventory_curated.to_code(till_number), '') AS till_number,
      inventory_curated.to_timestamp(sold_at, _date_order, _time_zone) AS sold_at,
      inventory_curated.to_code(sku) AS sku,
      inventory_curated.to_code(location_code) AS location_code,
      inventory_curated.to_number(quantity, _decimal) AS quantity,
      inventory_curated.to_unit(unit) AS stated_unit,
      inventory_curated.to_number(net_amount, _decimal) AS stated_net_amount,
      inventory_curated.to_number(gross_amount, _decimal) AS stated_gross_amount,
      currency AS stated_currency,
      _load_id,
      _row,
      _line,
      _generation,
      _landed_at
    FROM bare
  ),
  converted AS (
    SELECT
      stated.*,
      COALESCE(product.base_unit, 'EA') AS base_unit,
      inventory_curated.unit_factor(
        stated.stated_unit, product.base_unit, product.pack_unit, product.units_per_pack
      ) AS factor,
      IF(stated.stated_currency = inventory_curated.base_currency(), NUMERIC '1', day.rate_to_base) AS rate
    FROM stated
    LEFT JOIN inventory_curated.products_by_day AS product
      ON product.sku = stated.sku AND stated.business_date BETWEEN product.valid_from AND product.valid_to
    LEFT JOIN inventory_curated.daily_rates AS day
      ON day.currency = stated.stated_currency AND day.business_date = stated.business_date
  )
  SELECT
    receipt_number,
    line_number,
    business_date,
    till_number,
    sold_at,
    sku,
    location_code,
    SAFE_MULTIPLY(quantity, factor) AS quantity,
    base_unit AS unit,
    ROUND(SAFE_MULTIPLY(stated_net_amount, rate), 6) AS net_amount,
    ROUND(SAFE_MULTIPLY(stated_gross_amount, rate), 6) AS gross_amount,
    inventory_curated.base_currency() AS currency,
    stated_unit,
    stated_net_amount,
    stated_gross_amount,
    stated_currency,
    _load_id,
    _row,
    _line,
    _landed_at AS _business_time,
    _generation,
    CASE
      WHEN factor IS NULL
        THEN CONCAT('unknown_unit_factor|unit|', stated_unit, '|units_per_pack of ', COALESCE(sku, '?'), ' in ', stated_unit)
      WHEN rate IS NULL AND COALESCE(stated_net_amount, stated_gross_amount) IS NOT NULL
        THEN CONCAT('unknown_exchange_rate|currency|', stated_currency, '|a rate of at most 7 days before ', CAST(business_date AS STRING))
    END AS _issue
  FROM converted
)
SELECT
  model.* EXCEPT (_issue),
  CASE
    WHEN model._issue IS NOT NULL THEN model._issue
    WHEN model.receipt_number IS NULL AND NOT inventory_curated.is_blank(raw.receipt_number, 'string')
      THEN CONCAT('unreadable|receipt_number|', REPLACE(raw.receipt_number, '|', ' '), '|a known value')
    WHEN model.line_number IS NULL AND NOT inventory_curated.is_blank(raw.line_number, 'integer')
      THEN CONCAT('unreadable|line_number|', REPLACE(raw.line_number, '|', ' '), '|a whole number')
    WHEN model.business_date IS NULL AND NOT inventory_curated.is_blank(raw.business_date, 'date')
      THEN CONCAT('unreadable|business_date|', REPLACE(raw.business_date, '|', ' '), '|a date')
    WHEN model.till_number IS NULL AND NOT inventory_curated.is_blank(raw.till_number, 'string')
      THEN CONCAT('unreadable|till_number|', REPLACE(raw.till_number, '|', ' '), '|a known value')
    WHEN model.sold_at IS NULL AND NOT inventory_curated.is_blank(raw.sold_at, 'timestamp')
      THEN CONCAT('unreadable|sold_at|', REPLACE(raw.sold_at, '|', ' '), '|a date and time')
    WHEN model.sku IS NULL AND NOT inventory_curated.is_blank(raw.sku, 'string')
      THEN CONCAT('unreadable|sku|', REPLACE(raw.sku, '|', ' '), '|a known value')
    WHEN model.location_code IS NULL AND NOT inventory_curated.is_blank(raw.location_code, 'string')
      THEN CONCAT('unreadable|location_code|', REPLACE(raw.location_code, '|', ' '), '|a known value')
    WHEN model.quantity IS NULL AND NOT inventory_curated.is_blank(raw.quantity, 'number') AND inventory_curated.is_number(raw.quantity, raw._decimal)
      THEN CONCAT('out_of_range|quantity|', REPLACE(raw.quantity, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.quantity IS NULL AND NOT inventory_curated.is_blank(raw.quantity, 'number')
      THEN CONCAT('unreadable|quantity|', REPLACE(raw.quantity, '|', ' '), '|a number')
    WHEN model.unit IS NULL AND NOT inventory_curated.is_blank(raw.unit, 'word')
      THEN CONCAT('unreadable|unit|', REPLACE(raw.unit, '|', ' '), '|a known value')
    WHEN model.net_amount IS NULL AND NOT inventory_curated.is_blank(raw.net_amount, 'number') AND inventory_curated.is_number(raw.net_amount, raw._decimal)
      THEN CONCAT('out_of_range|net_amount|', REPLACE(raw.net_amount, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.net_amount IS NULL AND NOT inventory_curated.is_blank(raw.net_amount, 'number')
      THEN CONCAT('unreadable|net_amount|', REPLACE(raw.net_amount, '|', ' '), '|a number')
    WHEN model.gross_amount IS NULL AND NOT inventory_curated.is_blank(raw.gross_amount, 'number') AND inventory_curated.is_number(raw.gross_amount, raw._decimal)
      THEN CONCAT('out_of_range|gross_amount|', REPLACE(raw.gross_amount, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.gross_amount IS NULL AND NOT inventory_curated.is_blank(raw.gross_amount, 'number')
      THEN CONCAT('unreadable|gross_amount|', REPLACE(raw.gross_amount, '|', ' '), '|a number')
    WHEN model.currency IS NULL AND NOT inventory_curated.is_blank(raw.currency, 'word')
      THEN CONCAT('unreadable|currency|', REPLACE(raw.currency, '|', ' '), '|a known value')
    WHEN model.receipt_number IS NULL THEN 'missing|receipt_number||a value'
    WHEN model.line_number IS NULL THEN 'missing|line_number||a value'
    WHEN model.business_date IS NULL THEN 'missing|business_date||a value'
    WHEN model.till_number IS NULL THEN 'missing|till_number||a value'
    WHEN model.sku IS NULL THEN 'missing|sku||a value'
    WHEN model.location_code IS NULL THEN 'missing|location_code||a value'
    WHEN model.quantity IS NULL THEN 'missing|quantity||a value'
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
  RAISE USING MESSAGE = 'raw must hold the rows that validation counted, and the model of sales return one for each';
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
      AND feed = 'sales'
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
  FROM inventory_curated.sales_history
  WHERE _replaced_by IN UNNEST(@loads)
    AND _load_id NOT IN UNNEST(@loads)
    AND _load_id NOT IN (SELECT load_id FROM generations);
END IF;

SET replacing_others = EXISTS (SELECT 1 FROM generations WHERE load_id NOT IN UNNEST(@loads));

SET restating = again OR replacing_others;

-- The keys that these loads state or stated, or that generations state which these loads replace or give back.
CREATE TEMP TABLE touched AS SELECT DISTINCT location_code, business_date, till_number, receipt_number, line_number FROM typed WHERE _issue IS NULL;

IF restating THEN
  INSERT INTO touched (location_code, business_date, till_number, receipt_number, line_number)
  SELECT location_code, business_date, till_number, receipt_number, line_number
  FROM inventory_curated.sales_history
  WHERE _load_id IN UNNEST(@loads) OR _load_id IN (SELECT load_id FROM generations)
  EXCEPT DISTINCT
  SELECT location_code, business_date, till_number, receipt_number, line_number FROM touched;
END IF;

SET business_dates = (SELECT ARRAY_AGG(DISTINCT business_date) FROM touched);

-- What won before, of these keys.
CREATE TEMP TABLE before AS
SELECT was.receipt_number, was.line_number, was.business_date, was.till_number, was.sold_at, was.sku, was.location_code, was.quantity, was.unit, was.net_amount, was.gross_amount, was.currency, was.stated_unit, was.stated_net_amount, was.stated_gross_amount, was.stated_currency, was._load_id, was._row, was._line, was._business_time, was._generation
FROM inventory_curated.sales AS was
JOIN touched ON touched.location_code = was.location_code AND touched.business_date = was.business_date AND touched.till_number = was.till_number AND touched.receipt_number = was.receipt_number AND touched.line_number = was.line_number
    AND was.business_date IN UNNEST(business_dates);

-- What is stated by these loads and was stated before. Only where statements leave does the history say which one wins
-- without them; else it is the one that won before, or a new one.
IF restating THEN
  CREATE TEMP TABLE statements AS
  SELECT receipt_number, line_number, business_date, till_number, sold_at, sku, location_code, quantity, unit, net_amount, gross_amount, currency, stated_unit, stated_net_amount, stated_gross_amount, stated_currency, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT history.receipt_number, history.line_number, history.business_date, history.till_number, history.sold_at, history.sku, history.location_code, history.quantity, history.unit, history.net_amount, history.gross_amount, history.currency, history.stated_unit, history.stated_net_amount, history.stated_gross_amount, history.stated_currency, history._load_id, history._row, history._line, history._business_time, history._generation
  FROM inventory_curated.sales_history AS history
  JOIN touched ON touched.location_code = history.location_code AND touched.business_date = history.business_date AND touched.till_number = history.till_number AND touched.receipt_number = history.receipt_number AND touched.line_number = history.line_number
  LEFT JOIN generations ON generations.load_id = history._load_id
  WHERE history._load_id NOT IN UNNEST(@loads)
    AND IF(generations.load_id IS NULL, history._replaced_by, generations.replaced_by) IS NULL
    AND history.business_date IN UNNEST(business_dates);
ELSE
  CREATE TEMP TABLE statements AS
  SELECT receipt_number, line_number, business_date, till_number, sold_at, sku, location_code, quantity, unit, net_amount, gross_amount, currency, stated_unit, stated_net_amount, stated_gross_amount, stated_currency, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT receipt_number, line_number, business_date, till_number, sold_at, sku, location_code, quantity, unit, net_amount, gross_amount, currency, stated_unit, stated_net_amount, stated_gross_amount, stated_currency, _load_id, _row, _line, _business_time, _generation FROM before;
END IF;

-- What wins now, for each of these keys, next to what won before.
CREATE TEMP TABLE changes AS
WITH winners AS (
  SELECT *
  FROM statements
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY location_code, business_date, till_number, receipt_number, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) = 1
)
SELECT
  touched.location_code, touched.business_date, touched.till_number, touched.receipt_number, touched.line_number,
  now.sold_at, now.sku, now.quantity, now.unit, now.net_amount, now.gross_amount, now.currency, now.stated_unit, now.stated_net_amount, now.stated_gross_amount, now.stated_currency, now._load_id, now._row, now._line, now._business_time, now._generation,
  was._load_id AS _was_load_id, was.receipt_number AS _was_receipt_number, was.line_number AS _was_line_number, was.business_date AS _was_business_date, was.till_number AS _was_till_number, was.sold_at AS _was_sold_at, was.sku AS _was_sku, was.location_code AS _was_location_code, was.quantity AS _was_quantity, was.unit AS _was_unit, was.net_amount AS _was_net_amount, was.gross_amount AS _was_gross_amount, was.currency AS _was_currency, was.stated_unit AS _was_stated_unit, was.stated_net_amount AS _was_stated_net_amount, was.stated_gross_amount AS _was_stated_gross_amount, was.stated_currency AS _was_stated_currency,
  now._load_id IS NULL OR was._load_id IS NULL
  OR now.sold_at IS DISTINCT FROM was.sold_at
  OR now.sku IS DISTINCT FROM was.sku
  OR now.quantity IS DISTINCT FROM was.quantity
  OR now.unit IS DISTINCT FROM was.unit
  OR now.net_amount IS DISTINCT FROM was.net_amount
  OR now.gross_amount IS DISTINCT FROM was.gross_amount
  OR now.currency IS DISTINCT FROM was.currency
  OR now.stated_unit IS DISTINCT FROM was.stated_unit
  OR now.stated_net_amount IS DISTINCT FROM was.stated_net_amount
  OR now.stated_gross_amount IS DISTINCT FROM was.stated_gross_amount
  OR now.stated_currency IS DISTINCT FROM was.stated_currency AS _content_changed
FROM touched
LEFT JOIN winners AS now ON touched.location_code = now.location_code AND touched.business_date = now.business_date AND touched.till_number = now.till_number AND touched.receipt_number = now.receipt_number AND touched.line_number = now.line_number
LEFT JOIN before AS was ON touched.location_code = was.location_code AND touched.business_date = was.business_date AND touched.till_number = was.till_number AND touched.receipt_number = was.receipt_number AND touched.line_number = was.line_number
WHERE now._load_id IS DISTINCT FROM was._load_id
  OR now._row IS DISTINCT FROM was._row
  OR now._line IS DISTINCT FROM was._line
  OR now._business_time IS DISTINCT FROM was._business_time
  OR now.sold_at IS DISTINCT FROM was.sold_at
  OR now.sku IS DISTINCT FROM was.sku
  OR now.quantity IS DISTINCT FROM was.quantity
  OR now.unit IS DISTINCT FROM was.unit
  OR now.net_amount IS DISTINCT FROM was.net_amount
  OR now.gross_amount IS DISTINCT FROM was.gross_amount
  OR now.currency IS DISTINCT FROM was.currency
  OR now.stated_unit IS DISTINCT FROM was.stated_unit
  OR now.stated_net_amount IS DISTINCT FROM was.stated_net_amount
  OR now.stated_gross_amount IS DISTINCT FROM was.stated_gross_amount
  OR now.stated_currency IS DISTINCT FROM was.stated_currency;

IF again THEN
  DELETE FROM inventory_curated.sales_history AS history
  WHERE history._load_id IN UNNEST(@loads)
    AND history.business_date IN UNNEST(business_dates);
END IF;

INSERT INTO inventory_curated.sales_history (receipt_number, line_number, business_date, till_number, sold_at, sku, location_code, quantity, unit, net_amount, gross_amount, currency, stated_unit, stated_net_amount, stated_gross_amount, stated_currency, _load_id, _row, _line, _business_time, _generation, _updated_at, _replaced_by)
SELECT receipt_number, line_number, business_date, till_number, sold_at, sku, location_code, quantity, unit, net_amount, gross_amount, currency, stated_unit, stated_net_amount, stated_gross_amount, stated_currency, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP(), generations.replaced_by
FROM typed
LEFT JOIN generations ON generations.load_id = typed._load_id
WHERE typed._issue IS NULL;

IF replacing_others THEN
  UPDATE inventory_curated.sales_history AS history
  SET _replaced_by = generations.replaced_by, _updated_at = CURRENT_TIMESTAMP()
  FROM generations
  WHERE generations.load_id = history._load_id
    AND history._load_id NOT IN UNNEST(@loads)
    AND history._replaced_by IS DISTINCT FROM generations.replaced_by
    AND history.business_date IN UNNEST(business_dates);
END IF;

IF EXISTS (SELECT 1 FROM changes WHERE _was_load_id IS NOT NULL) THEN
  DELETE FROM inventory_curated.sales AS kept
  WHERE EXISTS (SELECT 1 FROM changes WHERE changes.location_code = kept.location_code AND changes.business_date = kept.business_date AND changes.till_number = kept.till_number AND changes.receipt_number = kept.receipt_number AND changes.line_number = kept.line_number)
    AND kept.business_date IN UNNEST(business_dates);
END IF;

INSERT INTO inventory_curated.sales (receipt_number, line_number, business_date, till_number, sold_at, sku, location_code, quantity, unit, net_amount, gross_amount, currency, stated_unit, stated_net_amount, stated_gross_amount, stated_currency, _load_id, _row, _line, _business_time, _generation, _updated_at)
SELECT receipt_number, line_number, business_date, till_number, sold_at, sku, location_code, quantity, unit, net_amount, gross_amount, currency, stated_unit, stated_net_amount, stated_gross_amount, stated_currency, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP() FROM changes WHERE _load_id IS NOT NULL;

IF refusing THEN
  INSERT INTO inventory_ops.quarantine_rows (
    run_id, load_id, feed, `row`, line, stage, rule, column_name, value, expected, message, severity, original_row,
    recorded_at, landed_on
  )
  SELECT
    batch.next_run,
    typed._load_id,
    'sales',
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
      raw.receipt_number AS receipt_number, raw.line_number AS line_number, raw.business_date AS business_date, raw.till_number AS till_number, raw.sold_at AS sold_at, raw.sku AS sku, raw.location_code AS location_code, raw.quantity AS quantity, raw.unit AS unit, raw.net_amount AS net_amount, raw.gross_amount AS gross_amount, raw.currency AS currency
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
  FROM inventory_curated.sales AS kept
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
-- Keys under which another load, or another line, stated something else altogether: two documents with one number.
restated AS (
  SELECT
    load_id,
    CONCAT(
      ',"restated_with_other_content":{"rows":', CAST(COUNT(*) AS STRING), ',"example":', MIN(example), '}'
    ) AS said
  FROM (
    SELECT IF(_load_id IN UNNEST(@loads), _load_id, _before_load_id) AS load_id, TO_JSON_STRING(STRUCT(CAST(location_code AS STRING) AS location_code, CAST(business_date AS STRING) AS business_date, CAST(till_number AS STRING) AS till_number, CAST(receipt_number AS STRING) AS receipt_number, CAST(line_number AS STRING) AS line_number, CAST(sku AS STRING) AS sku, CAST(_before_sku AS STRING) AS before_sku, _before_load_id AS before_load_id)) AS example
    FROM (
      SELECT
        location_code, business_date, till_number, receipt_number, line_number, sku, _load_id,
        LEAD(_load_id) OVER (PARTITION BY location_code, business_date, till_number, receipt_number, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) AS _before_load_id,
        LEAD(sku) OVER (PARTITION BY location_code, business_date, till_number, receipt_number, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) AS _before_sku
      FROM statements
    )
    WHERE _before_load_id IS NOT NULL
      AND (_load_id IN UNNEST(@loads) OR _before_load_id IN UNNEST(@loads))
      AND sku IS DISTINCT FROM _before_sku
  )
  GROUP BY load_id
),
clock AS (
  SELECT CURRENT_TIMESTAMP() AS finished_at
)
SELECT
  SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(batch.load_id) AS STRING), ':', batch.load_id, '9:transform', CAST(LENGTH(@version) AS STRING), ':', @version, '11:transformed', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.finished_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.finished_at), r'[.]000000', '')))), 1, 20),
  batch.load_id, 'sales', batch.bucket, batch.object, batch.generation,
  'transform', 'transformed', @version, batch.next_run, batch.raw_run_id, batch.record_id,
  COALESCE(counted.passed, 0) + COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0),
  COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0) - COALESCE(kept.kept, 0),
  batch.content_md5, batch.size_bytes, batch.landed_at, batch.landed_on, @started, clock.finished_at,
  CONCAT(
    -- in two pieces, so that the name stays free of an environment's prefix
    '{"tables":["inventory', '_curated.sales"],"dates":[', COALESCE(days.dates, ''),
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

COMMIT TRANSACTION;

-- A dimension changed under this drain: its loads are to be transformed again, also if whoever ran this dies now.
SET overtaken = (SELECT CONCAT((SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM inventory_curated.products_history), (SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM inventory_curated.exchange_rates))) != (SELECT MAX(dimensions_seen) FROM batch);

IF overtaken THEN
  INSERT INTO inventory_ops.load_stages (`record_id`, `landed_on`, `load_id`, `feed`, `stage`, `state`, `stage_version`, `started_at`, `finished_at`, `bucket`, `object`, `generation`, `run_id`, `raw_run_id`, `input_record`, `lines`, `rows`, `rejects`, `quarantined`, `superseded`, `reason_code`, `message`, `content_md5`, `size_bytes`, `landed_at`, `detail`)
  SELECT SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform', CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')))), 1, 20), latest.`landed_on`, latest.`load_id`, latest.`feed`, latest.`stage`, 'pending', latest.`stage_version`, latest.`started_at`, latest.marked_at, latest.`bucket`, latest.`object`, latest.`generation`, latest.`run_id`, latest.`raw_run_id`, CAST(NULL AS STRING), latest.`lines`, latest.`rows`, latest.`rejects`, latest.`quarantined`, latest.`superseded`, 'overtaken', 'products or exchange_rates changed while this load was transformed', latest.`content_md5`, latest.`size_bytes`, latest.`landed_at`, CAST(NULL AS STRING)
  FROM (
    SELECT done.*, CURRENT_TIMESTAMP() AS marked_at
    FROM inventory_ops.load_stages AS done
    JOIN batch ON done.run_id = batch.next_run
    WHERE done.landed_on IN UNNEST(@days)
  ) AS latest;
END IF;

SELECT done.*, overtaken, CAST(NULL AS STRING) AS requeued
FROM batch
JOIN inventory_ops.load_stages AS done ON done.run_id = batch.next_run
WHERE done.landed_on IN UNNEST(@days) AND done.state = 'transformed'
ORDER BY done.load_id;
