-- One drain of stock_movements: @loads go from raw to curated in one transaction. Built by merge.py.
-- @records are the validations that were found complete; @days the landing days of the loads, @near those on which
-- other generations of their objects may have landed; a newer generation of @replacing loads' objects replaces them.
-- Whether raw holds the rows that validation counted, and the model answers each; whether rows are refused; whether
-- these loads were transformed before; whether they make other loads' statements count or not count any more; one of
-- both.
DECLARE complete, refusing, again, replacing_others, restating, overtaken BOOL;
DECLARE business_dates ARRAY<DATE>;
DECLARE clusters ARRAY<STRING>;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_stock_movements AS SELECT 0 AS turn;
BEGIN TRANSACTION;

-- Two drains of one feed at once both change this row, so BigQuery aborts the later one.
UPDATE inventory_curated.turn_stock_movements SET turn = turn + 1 WHERE TRUE;

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
  raw._load_id, raw._row, raw._line, raw.document, raw.line_number, raw.document_year, raw.business_date, raw.entry_date, raw.movement_type, raw.sku, raw.location_code, raw.counterpart_location, raw.quantity, raw.unit, raw.unit_cost, raw.currency, raw.reason,
  batch.decimal_mark AS _decimal,
  batch.date_order AS _date_order,
  batch.time_zone AS _time_zone,
  batch.generation AS _generation,
  batch.landed_at AS _landed_at
FROM inventory_raw.stock_movements AS raw
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
  -- Stock movements: typed and signed (+ into the location), in the base unit; costs at the rate of the posting date.
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
      inventory_curated.bare_amount(unit_cost, currency) AS unit_cost
    )
    FROM coded
  ),
  stated AS (
    SELECT
      inventory_curated.to_code(document) AS document,
      inventory_curated.to_integer(line_number, _decimal) AS line_number,
      inventory_curated.to_code(document_year) AS document_year,
      inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
      inventory_curated.to_date(entry_date, _date_order, _time_zone) AS entry_date,
      inventory_curated.to_word(movement_type) AS movement_type,
      inventory_curated.to_code(sku) AS sku,
      inventory_curated.to_code(location_code) AS location_code,
      inventory_curated.to_code(counterpart_location) AS counterpart_location,
      inventory_curated.to_number(quantity, _decimal) AS quantity,
      inventory_curated.to_unit(unit) AS stated_unit,
      inventory_curated.to_number(unit_cost, _decimal) AS stated_unit_cost,
      currency AS stated_currency,
      inventory_curated.to_text(reason) AS reason,
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
      inventory_curated.movement_quantity(stated.movement_type, stated.quantity) AS signed_quantity,
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
    document,
    line_number,
    COALESCE(document_year, CAST(EXTRACT(YEAR FROM business_date) AS STRING)) AS document_year,
    business_date,
    entry_date,
    inventory_curated.movement_type(movement_type) AS movement_type,
    sku,
    location_code,
    counterpart_location,
    SAFE_MULTIPLY(signed_quantity, factor) AS quantity,
    base_unit AS unit,
    ROUND(SAFE_DIVIDE(SAFE_MULTIPLY(stated_unit_cost, rate), factor), 6) AS unit_cost,
    inventory_curated.base_currency() AS currency,
    reason,
    stated_unit,
    stated_unit_cost,
    stated_currency,
    _load_id,
    _row,
    _line,
    _landed_at AS _business_time,
    _generation,
    CASE
      WHEN factor IS NULL
        THEN CONCAT('unknown_unit_factor|unit|', stated_unit, '|units_per_pack of ', COALESCE(sku, '?'), ' in ', stated_unit)
      WHEN rate IS NULL AND stated_unit_cost IS NOT NULL
        THEN CONCAT('unknown_exchange_rate|currency|', stated_currency, '|a rate of at most 7 days before ', CAST(business_date AS STRING))
    END AS _issue
  FROM converted
)
SELECT
  model.* EXCEPT (_issue),
  CASE
    WHEN model._issue IS NOT NULL THEN model._issue
    WHEN model.document IS NULL AND NOT inventory_curated.is_blank(raw.document, 'string')
      THEN CONCAT('unreadable|document|', REPLACE(raw.document, '|', ' '), '|a known value')
    WHEN model.line_number IS NULL AND NOT inventory_curated.is_blank(raw.line_number, 'integer')
      THEN CONCAT('unreadable|line_number|', REPLACE(raw.line_number, '|', ' '), '|a whole number')
    WHEN model.document_year IS NULL AND NOT inventory_curated.is_blank(raw.document_year, 'string')
      THEN CONCAT('unreadable|document_year|', REPLACE(raw.document_year, '|', ' '), '|a known value')
    WHEN model.business_date IS NULL AND NOT inventory_curated.is_blank(raw.business_date, 'date')
      THEN CONCAT('unreadable|business_date|', REPLACE(raw.business_date, '|', ' '), '|a date')
    WHEN model.entry_date IS NULL AND NOT inventory_curated.is_blank(raw.entry_date, 'date')
      THEN CONCAT('unreadable|entry_date|', REPLACE(raw.entry_date, '|', ' '), '|a date')
    WHEN model.movement_type IS NULL AND NOT inventory_curated.is_blank(raw.movement_type, 'word')
      THEN CONCAT('unreadable|movement_type|', REPLACE(raw.movement_type, '|', ' '), '|a known value')
    WHEN model.sku IS NULL AND NOT inventory_curated.is_blank(raw.sku, 'string')
      THEN CONCAT('unreadable|sku|', REPLACE(raw.sku, '|', ' '), '|a known value')
    WHEN model.location_code IS NULL AND NOT inventory_curated.is_blank(raw.location_code, 'string')
      THEN CONCAT('unreadable|location_code|', REPLACE(raw.location_code, '|', ' '), '|a known value')
    WHEN model.counterpart_location IS NULL AND NOT inventory_curated.is_blank(raw.counterpart_location, 'string')
      THEN CONCAT('unreadable|counterpart_location|', REPLACE(raw.counterpart_location, '|', ' '), '|a known value')
    WHEN model.quantity IS NULL AND NOT inventory_curated.is_blank(raw.quantity, 'number') AND inventory_curated.is_number(raw.quantity, raw._decimal)
      THEN CONCAT('out_of_range|quantity|', REPLACE(raw.quantity, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.quantity IS NULL AND NOT inventory_curated.is_blank(raw.quantity, 'number')
      THEN CONCAT('unreadable|quantity|', REPLACE(raw.quantity, '|', ' '), '|a number')
    WHEN model.unit IS NULL AND NOT inventory_curated.is_blank(raw.unit, 'word')
      THEN CONCAT('unreadable|unit|', REPLACE(raw.unit, '|', ' '), '|a known value')
    WHEN model.unit_cost IS NULL AND NOT inventory_curated.is_blank(raw.unit_cost, 'number') AND inventory_curated.is_number(raw.unit_cost, raw._decimal)
      THEN CONCAT('out_of_range|unit_cost|', REPLACE(raw.unit_cost, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.unit_cost IS NULL AND NOT inventory_curated.is_blank(raw.unit_cost, 'number')
      THEN CONCAT('unreadable|unit_cost|', REPLACE(raw.unit_cost, '|', ' '), '|a number')
    WHEN model.currency IS NULL AND NOT inventory_curated.is_blank(raw.currency, 'word')
      THEN CONCAT('unreadable|currency|', REPLACE(raw.currency, '|', ' '), '|a known value')
    WHEN model.reason IS NULL AND NOT inventory_curated.is_blank(raw.reason, 'string')
      THEN CONCAT('unreadable|reason|', REPLACE(raw.reason, '|', ' '), '|a known value')
    WHEN model.document IS NULL THEN 'missing|document||a value'
    WHEN model.line_number IS NULL THEN 'missing|line_number||a value'
    WHEN model.document_year IS NULL THEN 'missing|document_year||a value'
    WHEN model.business_date IS NULL THEN 'missing|business_date||a value'
    WHEN model.movement_type IS NULL THEN 'missing|movement_type||a value'
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
  RAISE USING MESSAGE = 'raw must hold the rows that validation counted, and the model of stock_movements return one for each';
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
      AND feed = 'stock_movements'
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
  FROM inventory_curated.stock_movements_history
  WHERE _replaced_by IN UNNEST(@loads)
    AND _load_id NOT IN UNNEST(@loads)
    AND _load_id NOT IN (SELECT load_id FROM generations);
END IF;

SET replacing_others = EXISTS (SELECT 1 FROM generations WHERE load_id NOT IN UNNEST(@loads));

SET restating = again OR replacing_others;

-- The keys that these loads state or stated, or that generations state which these loads replace or give back.
CREATE TEMP TABLE touched AS SELECT DISTINCT document, document_year, location_code, line_number FROM typed WHERE _issue IS NULL;

IF restating THEN
  INSERT INTO touched (document, document_year, location_code, line_number)
  SELECT document, document_year, location_code, line_number
  FROM inventory_curated.stock_movements_history
  WHERE _load_id IN UNNEST(@loads) OR _load_id IN (SELECT load_id FROM generations)
  EXCEPT DISTINCT
  SELECT document, document_year, location_code, line_number FROM touched;
END IF;

SET clusters = (SELECT ARRAY_AGG(DISTINCT document) FROM touched);

SET business_dates = (
  SELECT ARRAY_AGG(DISTINCT business_date)
  FROM (
    SELECT business_date FROM typed WHERE _issue IS NULL
    UNION ALL
    SELECT was.business_date
    FROM inventory_curated.stock_movements AS was
    JOIN touched ON touched.document = was.document AND touched.document_year = was.document_year AND touched.location_code = was.location_code AND touched.line_number = was.line_number
    WHERE was.document IN UNNEST(clusters)
  )
);

IF restating THEN
  SET business_dates = (
    SELECT ARRAY_AGG(DISTINCT business_date)
    FROM (
      SELECT business_date FROM UNNEST(business_dates) AS business_date
      UNION ALL
      SELECT history.business_date
      FROM inventory_curated.stock_movements_history AS history
      JOIN touched ON touched.document = history.document AND touched.document_year = history.document_year AND touched.location_code = history.location_code AND touched.line_number = history.line_number
      WHERE history.document IN UNNEST(clusters)
    )
  );
END IF;

-- What won before, of these keys.
CREATE TEMP TABLE before AS
SELECT was.document, was.line_number, was.document_year, was.business_date, was.entry_date, was.movement_type, was.sku, was.location_code, was.counterpart_location, was.quantity, was.unit, was.unit_cost, was.currency, was.reason, was.stated_unit, was.stated_unit_cost, was.stated_currency, was._load_id, was._row, was._line, was._business_time, was._generation
FROM inventory_curated.stock_movements AS was
JOIN touched ON touched.document = was.document AND touched.document_year = was.document_year AND touched.location_code = was.location_code AND touched.line_number = was.line_number
    AND was.business_date IN UNNEST(business_dates);

-- What is stated by these loads and was stated before. Only where statements leave does the history say which one wins
-- without them; else it is the one that won before, or a new one.
IF restating THEN
  CREATE TEMP TABLE statements AS
  SELECT document, line_number, document_year, business_date, entry_date, movement_type, sku, location_code, counterpart_location, quantity, unit, unit_cost, currency, reason, stated_unit, stated_unit_cost, stated_currency, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT history.document, history.line_number, history.document_year, history.business_date, history.entry_date, history.movement_type, history.sku, history.location_code, history.counterpart_location, history.quantity, history.unit, history.unit_cost, history.currency, history.reason, history.stated_unit, history.stated_unit_cost, history.stated_currency, history._load_id, history._row, history._line, history._business_time, history._generation
  FROM inventory_curated.stock_movements_history AS history
  JOIN touched ON touched.document = history.document AND touched.document_year = history.document_year AND touched.location_code = history.location_code AND touched.line_number = history.line_number
  LEFT JOIN generations ON generations.load_id = history._load_id
  WHERE history._load_id NOT IN UNNEST(@loads)
    AND IF(generations.load_id IS NULL, history._replaced_by, generations.replaced_by) IS NULL
    AND history.business_date IN UNNEST(business_dates);
ELSE
  CREATE TEMP TABLE statements AS
  SELECT document, line_number, document_year, business_date, entry_date, movement_type, sku, location_code, counterpart_location, quantity, unit, unit_cost, currency, reason, stated_unit, stated_unit_cost, stated_currency, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT document, line_number, document_year, business_date, entry_date, movement_type, sku, location_code, counterpart_location, quantity, unit, unit_cost, currency, reason, stated_unit, stated_unit_cost, stated_currency, _load_id, _row, _line, _business_time, _generation FROM before;
END IF;

-- What wins now, for each of these keys, next to what won before.
CREATE TEMP TABLE changes AS
WITH winners AS (
  SELECT *
  FROM statements
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY document, document_year, location_code, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) = 1
)
SELECT
  touched.document, touched.document_year, touched.location_code, touched.line_number,
  now.business_date, now.entry_date, now.movement_type, now.sku, now.counterpart_location, now.quantity, now.unit, now.unit_cost, now.currency, now.reason, now.stated_unit, now.stated_unit_cost, now.stated_currency, now._load_id, now._row, now._line, now._business_time, now._generation,
  was._load_id AS _was_load_id, was.document AS _was_document, was.line_number AS _was_line_number, was.document_year AS _was_document_year, was.business_date AS _was_business_date, was.entry_date AS _was_entry_date, was.movement_type AS _was_movement_type, was.sku AS _was_sku, was.location_code AS _was_location_code, was.counterpart_location AS _was_counterpart_location, was.quantity AS _was_quantity, was.unit AS _was_unit, was.unit_cost AS _was_unit_cost, was.currency AS _was_currency, was.reason AS _was_reason, was.stated_unit AS _was_stated_unit, was.stated_unit_cost AS _was_stated_unit_cost, was.stated_currency AS _was_stated_currency,
  now._load_id IS NULL OR was._load_id IS NULL
  OR now.business_date IS DISTINCT FROM was.business_date
  OR now.entry_date IS DISTINCT FROM was.entry_date
  OR now.movement_type IS DISTINCT FROM was.movement_type
  OR now.sku IS DISTINCT FROM was.sku
  OR now.counterpart_location IS DISTINCT FROM was.counterpart_location
  OR now.quantity IS DISTINCT FROM was.quantity
  OR now.unit IS DISTINCT FROM was.unit
  OR now.unit_cost IS DISTINCT FROM was.unit_cost
  OR now.currency IS DISTINCT FROM was.currency
  OR now.reason IS DISTINCT FROM was.reason
  OR now.stated_unit IS DISTINCT FROM was.stated_unit
  OR now.stated_unit_cost IS DISTINCT FROM was.stated_unit_cost
  OR now.stated_currency IS DISTINCT FROM was.stated_currency AS _content_changed
FROM touched
LEFT JOIN winners AS now ON touched.document = now.document AND touched.document_year = now.document_year AND touched.location_code = now.location_code AND touched.line_number = now.line_number
LEFT JOIN before AS was ON touched.document = was.document AND touched.document_year = was.document_year AND touched.location_code = was.location_code AND touched.line_number = was.line_number
WHERE now._load_id IS DISTINCT FROM was._load_id
  OR now._row IS DISTINCT FROM was._row
  OR now._line IS DISTINCT FROM was._line
  OR now._business_time IS DISTINCT FROM was._business_time
  OR now.business_date IS DISTINCT FROM was.business_date
  OR now.entry_date IS DISTINCT FROM was.entry_date
  OR now.movement_type IS DISTINCT FROM was.movement_type
  OR now.sku IS DISTINCT FROM was.sku
  OR now.counterpart_location IS DISTINCT FROM was.counterpart_location
  OR now.quantity IS DISTINCT FROM was.quantity
  OR now.unit IS DISTINCT FROM was.unit
  OR now.unit_cost IS DISTINCT FROM was.unit_cost
  OR now.currency IS DISTINCT FROM was.currency
  OR now.reason IS DISTINCT FROM was.reason
  OR now.stated_unit IS DISTINCT FROM was.stated_unit
  OR now.stated_unit_cost IS DISTINCT FROM was.stated_unit_cost
  OR now.stated_currency IS DISTINCT FROM was.stated_currency;

IF again THEN
  DELETE FROM inventory_curated.stock_movements_history AS history
  WHERE history._load_id IN UNNEST(@loads)
    AND history.business_date IN UNNEST(business_dates);
END IF;

INSERT INTO inventory_curated.stock_movements_history (document, line_number, document_year, business_date, entry_date, movement_type, sku, location_code, counterpart_location, quantity, unit, unit_cost, currency, reason, stated_unit, stated_unit_cost, stated_currency, _load_id, _row, _line, _business_time, _generation, _updated_at, _replaced_by)
SELECT document, line_number, document_year, business_date, entry_date, movement_type, sku, location_code, counterpart_location, quantity, unit, unit_cost, currency, reason, stated_unit, stated_unit_cost, stated_currency, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP(), generations.replaced_by
FROM typed
LEFT JOIN generations ON generations.load_id = typed._load_id
WHERE typed._issue IS NULL;

IF replacing_others THEN
  UPDATE inventory_curated.stock_movements_history AS history
  SET _replaced_by = generations.replaced_by, _updated_at = CURRENT_TIMESTAMP()
  FROM generations
  WHERE generations.load_id = history._load_id
    AND history._load_id NOT IN UNNEST(@loads)
    AND history._replaced_by IS DISTINCT FROM generations.replaced_by
    AND history.business_date IN UNNEST(business_dates);
END IF;

IF EXISTS (SELECT 1 FROM changes WHERE _was_load_id IS NOT NULL) THEN
  DELETE FROM inventory_curated.stock_movements AS kept
  WHERE EXISTS (SELECT 1 FROM changes WHERE changes.document = kept.document AND changes.document_year = kept.document_year AND changes.location_code = kept.location_code AND changes.line_number = kept.line_number)
    AND kept.business_date IN UNNEST(business_dates);
END IF;

INSERT INTO inventory_curated.stock_movements (document, line_number, document_year, business_date, entry_date, movement_type, sku, location_code, counterpart_location, quantity, unit, unit_cost, currency, reason, stated_unit, stated_unit_cost, stated_currency, _load_id, _row, _line, _business_time, _generation, _updated_at)
SELECT document, line_number, document_year, business_date, entry_date, movement_type, sku, location_code, counterpart_location, quantity, unit, unit_cost, currency, reason, stated_unit, stated_unit_cost, stated_currency, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP() FROM changes WHERE _load_id IS NOT NULL;

IF refusing THEN
  INSERT INTO inventory_ops.quarantine_rows (
    run_id, load_id, feed, `row`, line, stage, rule, column_name, value, expected, message, severity, original_row,
    recorded_at, landed_on
  )
  SELECT
    batch.next_run,
    typed._load_id,
    'stock_movements',
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
      raw.document AS document, raw.line_number AS line_number, raw.document_year AS document_year, raw.business_date AS business_date, raw.entry_date AS entry_date, raw.movement_type AS movement_type, raw.sku AS sku, raw.location_code AS location_code, raw.counterpart_location AS counterpart_location, raw.quantity AS quantity, raw.unit AS unit, raw.unit_cost AS unit_cost, raw.currency AS currency, raw.reason AS reason
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
  FROM inventory_curated.stock_movements AS kept
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
    SELECT IF(_load_id IN UNNEST(@loads), _load_id, _before_load_id) AS load_id, TO_JSON_STRING(STRUCT(CAST(document AS STRING) AS document, CAST(document_year AS STRING) AS document_year, CAST(location_code AS STRING) AS location_code, CAST(line_number AS STRING) AS line_number, CAST(sku AS STRING) AS sku, CAST(business_date AS STRING) AS business_date, CAST(_before_sku AS STRING) AS before_sku, CAST(_before_business_date AS STRING) AS before_business_date, _before_load_id AS before_load_id)) AS example
    FROM (
      SELECT
        document, document_year, location_code, line_number, sku, business_date, _load_id,
        LEAD(_load_id) OVER (PARTITION BY document, document_year, location_code, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) AS _before_load_id,
        LEAD(sku) OVER (PARTITION BY document, document_year, location_code, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) AS _before_sku,
        LEAD(business_date) OVER (PARTITION BY document, document_year, location_code, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) AS _before_business_date
      FROM statements
    )
    WHERE _before_load_id IS NOT NULL
      AND (_load_id IN UNNEST(@loads) OR _before_load_id IN UNNEST(@loads))
      AND sku IS DISTINCT FROM _before_sku AND (business_date IS DISTINCT FROM _before_business_date)
  )
  GROUP BY load_id
),
clock AS (
  SELECT CURRENT_TIMESTAMP() AS finished_at
)
SELECT
  SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(batch.load_id) AS STRING), ':', batch.load_id, '9:transform', CAST(LENGTH(@version) AS STRING), ':', @version, '11:transformed', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.finished_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.finished_at), r'[.]000000', '')))), 1, 20),
  batch.load_id, 'stock_movements', batch.bucket, batch.object, batch.generation,
  'transform', 'transformed', @version, batch.next_run, batch.raw_run_id, batch.record_id,
  COALESCE(counted.passed, 0) + COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0),
  COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0) - COALESCE(kept.kept, 0),
  batch.content_md5, batch.size_bytes, batch.landed_at, batch.landed_on, @started, clock.finished_at,
  CONCAT(
    -- in two pieces, so that the name stays free of an environment's prefix
    '{"tables":["inventory', '_curated.stock_movements"],"dates":[', COALESCE(days.dates, ''),
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
