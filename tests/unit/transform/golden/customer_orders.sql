-- One drain of customer_orders: @loads go from raw to curated in one transaction. Built by merge.py.
-- @records are the validations that were found complete; @days the landing days of the loads, @near those on which
-- other generations of their objects may have landed; a newer generation of @replacing loads' objects replaces them.
-- Whether raw holds the rows that validation counted, and the model answers each; whether rows are refused; whether
-- these loads were transformed before; whether they make other loads' statements count or not count any more; one of
-- both.
DECLARE complete, refusing, again, replacing_others, restating, overtaken BOOL;
DECLARE business_dates ARRAY<DATE>;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_customer_orders AS SELECT 0 AS turn;
BEGIN TRANSACTION;

-- Two drains of one feed at once both change this row, so BigQuery aborts the later one.
UPDATE inventory_curated.turn_customer_orders SET turn = turn + 1 WHERE TRUE;

CREATE TEMP TABLE batch AS
SELECT
  load_id, bucket, object, generation, run_id, raw_run_id, record_id, state, `rows`, content_md5, size_bytes,
  landed_at, landed_on,
  COALESCE(JSON_VALUE(detail, '$.decimal_mark'), '.') AS decimal_mark,
  COALESCE(JSON_VALUE(detail, '$.date_order'), 'ymd') AS date_order,
  COALESCE(JSON_VALUE(detail, '$.time_zone'), 'UTC') AS time_zone,
  load_id IN UNNEST(@replacing) AS replaces,
  SUBSTR(TO_HEX(SHA256(CONCAT(record_id, @version, @drain))), 1, 20) AS next_run,
  (SELECT CONCAT((SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM inventory_curated.products_history))) AS dimensions_seen,
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
  raw._load_id, raw._row, raw._line, raw.order_number, raw.line_number, raw.business_date, raw.channel, raw.sku, raw.location_code, raw.ordered_quantity, raw.shipped_quantity, raw.shipped_on_time_quantity, raw.cancelled_quantity, raw.cancel_reason, raw.unit, raw.requested_date, raw.shipped_date, raw.status, raw.updated_at,
  batch.decimal_mark AS _decimal,
  batch.date_order AS _date_order,
  batch.time_zone AS _time_zone,
  batch.generation AS _generation,
  batch.landed_at AS _landed_at
FROM inventory_raw.customer_orders AS raw
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
  -- Customer order lines: typed, in the base unit. The newest statement (updated_at) wins.
  -- Where a file states no quantities of its own, its status does: a shipped line left whole, a cancelled one does not leave.
  WITH worded AS (
    -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
    SELECT accepted.* REPLACE (
      inventory_curated.to_word(unit) AS unit,
      inventory_curated.to_word(status) AS status,
      inventory_curated.to_word(cancel_reason) AS cancel_reason
    )
    FROM accepted AS accepted
  ),
  stated AS (
    SELECT
      inventory_curated.to_code(order_number) AS order_number,
      inventory_curated.to_integer(line_number, _decimal) AS line_number,
      inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
      COALESCE(inventory_curated.to_code(channel), '') AS channel,
      inventory_curated.to_code(sku) AS sku,
      inventory_curated.to_code(location_code) AS location_code,
      inventory_curated.to_number(ordered_quantity, _decimal) AS ordered_quantity,
      inventory_curated.to_number(shipped_quantity, _decimal) AS shipped_quantity,
      inventory_curated.to_number(shipped_on_time_quantity, _decimal) AS shipped_on_time_quantity,
      inventory_curated.to_number(cancelled_quantity, _decimal) AS cancelled_quantity,
      inventory_curated.cancel_reason(cancel_reason) AS cancel_reason,
      inventory_curated.to_unit(unit) AS stated_unit,
      inventory_curated.to_date(requested_date, _date_order, _time_zone) AS requested_date,
      inventory_curated.to_date(shipped_date, _date_order, _time_zone) AS shipped_date,
      inventory_curated.fulfilment_status(status) AS status,
      inventory_curated.to_timestamp(updated_at, _date_order, _time_zone) AS updated_at,
      _load_id,
      _row,
      _line,
      _generation,
      _landed_at
    FROM worded
  ),
  cancelled AS (
    SELECT stated.* REPLACE (
      CASE
        WHEN cancelled_quantity IS NOT NULL THEN cancelled_quantity
        WHEN status = 'cancelled' THEN GREATEST(ordered_quantity - COALESCE(shipped_quantity, 0), 0)
      END AS cancelled_quantity
    )
    FROM stated
  ),
  shipped AS (
    SELECT cancelled.* REPLACE (
      CASE
        WHEN shipped_quantity IS NOT NULL THEN shipped_quantity
        WHEN cancelled_quantity >= ordered_quantity THEN 0
        WHEN status = 'shipped' THEN ordered_quantity - COALESCE(cancelled_quantity, 0)
      END AS shipped_quantity
    )
    FROM cancelled
  ),
  converted AS (
    SELECT
      shipped.*,
      COALESCE(product.base_unit, 'EA') AS base_unit,
      inventory_curated.unit_factor(
        shipped.stated_unit, product.base_unit, product.pack_unit, product.units_per_pack
      ) AS factor
    FROM shipped
    LEFT JOIN inventory_curated.products_by_day AS product
      ON product.sku = shipped.sku AND shipped.business_date BETWEEN product.valid_from AND product.valid_to
  )
  SELECT
    order_number,
    line_number,
    business_date,
    channel,
    sku,
    location_code,
    SAFE_MULTIPLY(ordered_quantity, factor) AS ordered_quantity,
    SAFE_MULTIPLY(shipped_quantity, factor) AS shipped_quantity,
    SAFE_MULTIPLY(shipped_on_time_quantity, factor) AS shipped_on_time_quantity,
    SAFE_MULTIPLY(cancelled_quantity, factor) AS cancelled_quantity,
    cancel_reason,
    base_unit AS unit,
    requested_date,
    shipped_date,
    CASE
      WHEN status IS NOT NULL THEN status
      WHEN cancelled_quantity > 0 AND cancelled_quantity >= ordered_quantity THEN 'cancelled'
      WHEN shipped_quantity > 0 AND shipped_quantity >= ordered_quantity - COALESCE(cancelled_quantity, 0) THEN 'shipped'
      WHEN shipped_quantity > 0 THEN 'partial'
      ELSE 'open'
    END AS status,
    updated_at,
    stated_unit,
    _load_id,
    _row,
    _line,
    LEAST(COALESCE(updated_at, _landed_at), _landed_at) AS _business_time,
    _generation,
    CASE
      WHEN factor IS NULL
        THEN CONCAT('unknown_unit_factor|unit|', stated_unit, '|units_per_pack of ', COALESCE(sku, '?'), ' in ', stated_unit)
    END AS _issue
  FROM converted
)
SELECT
  model.* EXCEPT (_issue),
  CASE
    WHEN model._issue IS NOT NULL THEN model._issue
    WHEN model.order_number IS NULL AND NOT inventory_curated.is_blank(raw.order_number, 'string')
      THEN CONCAT('unreadable|order_number|', REPLACE(raw.order_number, '|', ' '), '|a known value')
    WHEN model.line_number IS NULL AND NOT inventory_curated.is_blank(raw.line_number, 'integer')
      THEN CONCAT('unreadable|line_number|', REPLACE(raw.line_number, '|', ' '), '|a whole number')
    WHEN model.business_date IS NULL AND NOT inventory_curated.is_blank(raw.business_date, 'date')
      THEN CONCAT('unreadable|business_date|', REPLACE(raw.business_date, '|', ' '), '|a date')
    WHEN model.channel IS NULL AND NOT inventory_curated.is_blank(raw.channel, 'string')
      THEN CONCAT('unreadable|channel|', REPLACE(raw.channel, '|', ' '), '|a known value')
    WHEN model.sku IS NULL AND NOT inventory_curated.is_blank(raw.sku, 'string')
      THEN CONCAT('unreadable|sku|', REPLACE(raw.sku, '|', ' '), '|a known value')
    WHEN model.location_code IS NULL AND NOT inventory_curated.is_blank(raw.location_code, 'string')
      THEN CONCAT('unreadable|location_code|', REPLACE(raw.location_code, '|', ' '), '|a known value')
    WHEN model.ordered_quantity IS NULL AND NOT inventory_curated.is_blank(raw.ordered_quantity, 'number') AND inventory_curated.is_number(raw.ordered_quantity, raw._decimal)
      THEN CONCAT('out_of_range|ordered_quantity|', REPLACE(raw.ordered_quantity, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.ordered_quantity IS NULL AND NOT inventory_curated.is_blank(raw.ordered_quantity, 'number')
      THEN CONCAT('unreadable|ordered_quantity|', REPLACE(raw.ordered_quantity, '|', ' '), '|a number')
    WHEN model.shipped_quantity IS NULL AND NOT inventory_curated.is_blank(raw.shipped_quantity, 'number') AND inventory_curated.is_number(raw.shipped_quantity, raw._decimal)
      THEN CONCAT('out_of_range|shipped_quantity|', REPLACE(raw.shipped_quantity, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.shipped_quantity IS NULL AND NOT inventory_curated.is_blank(raw.shipped_quantity, 'number')
      THEN CONCAT('unreadable|shipped_quantity|', REPLACE(raw.shipped_quantity, '|', ' '), '|a number')
    WHEN model.shipped_on_time_quantity IS NULL AND NOT inventory_curated.is_blank(raw.shipped_on_time_quantity, 'number') AND inventory_curated.is_number(raw.shipped_on_time_quantity, raw._decimal)
      THEN CONCAT('out_of_range|shipped_on_time_quantity|', REPLACE(raw.shipped_on_time_quantity, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.shipped_on_time_quantity IS NULL AND NOT inventory_curated.is_blank(raw.shipped_on_time_quantity, 'number')
      THEN CONCAT('unreadable|shipped_on_time_quantity|', REPLACE(raw.shipped_on_time_quantity, '|', ' '), '|a number')
    WHEN model.cancelled_quantity IS NULL AND NOT inventory_curated.is_blank(raw.cancelled_quantity, 'number') AND inventory_curated.is_number(raw.cancelled_quantity, raw._decimal)
      THEN CONCAT('out_of_range|cancelled_quantity|', REPLACE(raw.cancelled_quantity, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.cancelled_quantity IS NULL AND NOT inventory_curated.is_blank(raw.cancelled_quantity, 'number')
      THEN CONCAT('unreadable|cancelled_quantity|', REPLACE(raw.cancelled_quantity, '|', ' '), '|a number')
    WHEN model.cancel_reason IS NULL AND NOT inventory_curated.is_blank(raw.cancel_reason, 'word')
      THEN CONCAT('unreadable|cancel_reason|', REPLACE(raw.cancel_reason, '|', ' '), '|a known value')
    WHEN model.unit IS NULL AND NOT inventory_curated.is_blank(raw.unit, 'word')
      THEN CONCAT('unreadable|unit|', REPLACE(raw.unit, '|', ' '), '|a known value')
    WHEN model.requested_date IS NULL AND NOT inventory_curated.is_blank(raw.requested_date, 'date')
      THEN CONCAT('unreadable|requested_date|', REPLACE(raw.requested_date, '|', ' '), '|a date')
    WHEN model.shipped_date IS NULL AND NOT inventory_curated.is_blank(raw.shipped_date, 'date')
      THEN CONCAT('unreadable|shipped_date|', REPLACE(raw.shipped_date, '|', ' '), '|a date')
    WHEN model.status IS NULL AND NOT inventory_curated.is_blank(raw.status, 'word')
      THEN CONCAT('unreadable|status|', REPLACE(raw.status, '|', ' '), '|a known value')
    WHEN model.updated_at IS NULL AND NOT inventory_curated.is_blank(raw.updated_at, 'timestamp')
      THEN CONCAT('unreadable|updated_at|', REPLACE(raw.updated_at, '|', ' '), '|a date and time')
    WHEN model.order_number IS NULL THEN 'missing|order_number||a value'
    WHEN model.line_number IS NULL THEN 'missing|line_number||a value'
    WHEN model.business_date IS NULL THEN 'missing|business_date||a value'
    WHEN model.channel IS NULL THEN 'missing|channel||a value'
    WHEN model.sku IS NULL THEN 'missing|sku||a value'
    WHEN model.location_code IS NULL THEN 'missing|location_code||a value'
    WHEN model.ordered_quantity IS NULL THEN 'missing|ordered_quantity||a value'
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
  RAISE USING MESSAGE = 'raw must hold the rows that validation counted, and the model of customer_orders return one for each';
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
      AND feed = 'customer_orders'
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
  FROM inventory_curated.customer_orders_history
  WHERE _replaced_by IN UNNEST(@loads)
    AND _load_id NOT IN UNNEST(@loads)
    AND _load_id NOT IN (SELECT load_id FROM generations);
END IF;

SET replacing_others = EXISTS (SELECT 1 FROM generations WHERE load_id NOT IN UNNEST(@loads));

SET restating = again OR replacing_others;

-- The keys that these loads state or stated, or that generations state which these loads replace or give back.
CREATE TEMP TABLE touched AS SELECT DISTINCT location_code, business_date, channel, order_number, line_number FROM typed WHERE _issue IS NULL;

IF restating THEN
  INSERT INTO touched (location_code, business_date, channel, order_number, line_number)
  SELECT location_code, business_date, channel, order_number, line_number
  FROM inventory_curated.customer_orders_history
  WHERE _load_id IN UNNEST(@loads) OR _load_id IN (SELECT load_id FROM generations)
  EXCEPT DISTINCT
  SELECT location_code, business_date, channel, order_number, line_number FROM touched;
END IF;

SET business_dates = (SELECT ARRAY_AGG(DISTINCT business_date) FROM touched);

-- What won before, of these keys.
CREATE TEMP TABLE before AS
SELECT was.order_number, was.line_number, was.business_date, was.channel, was.sku, was.location_code, was.ordered_quantity, was.shipped_quantity, was.shipped_on_time_quantity, was.cancelled_quantity, was.cancel_reason, was.unit, was.requested_date, was.shipped_date, was.status, was.updated_at, was.stated_unit, was._load_id, was._row, was._line, was._business_time, was._generation
FROM inventory_curated.customer_orders AS was
JOIN touched ON touched.location_code = was.location_code AND touched.business_date = was.business_date AND touched.channel = was.channel AND touched.order_number = was.order_number AND touched.line_number = was.line_number
    AND was.business_date IN UNNEST(business_dates);

-- What is stated by these loads and was stated before. Only where statements leave does the history say which one wins
-- without them; else it is the one that won before, or a new one.
IF restating THEN
  CREATE TEMP TABLE statements AS
  SELECT order_number, line_number, business_date, channel, sku, location_code, ordered_quantity, shipped_quantity, shipped_on_time_quantity, cancelled_quantity, cancel_reason, unit, requested_date, shipped_date, status, updated_at, stated_unit, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT history.order_number, history.line_number, history.business_date, history.channel, history.sku, history.location_code, history.ordered_quantity, history.shipped_quantity, history.shipped_on_time_quantity, history.cancelled_quantity, history.cancel_reason, history.unit, history.requested_date, history.shipped_date, history.status, history.updated_at, history.stated_unit, history._load_id, history._row, history._line, history._business_time, history._generation
  FROM inventory_curated.customer_orders_history AS history
  JOIN touched ON touched.location_code = history.location_code AND touched.business_date = history.business_date AND touched.channel = history.channel AND touched.order_number = history.order_number AND touched.line_number = history.line_number
  LEFT JOIN generations ON generations.load_id = history._load_id
  WHERE history._load_id NOT IN UNNEST(@loads)
    AND IF(generations.load_id IS NULL, history._replaced_by, generations.replaced_by) IS NULL
    AND history.business_date IN UNNEST(business_dates);
ELSE
  CREATE TEMP TABLE statements AS
  SELECT order_number, line_number, business_date, channel, sku, location_code, ordered_quantity, shipped_quantity, shipped_on_time_quantity, cancelled_quantity, cancel_reason, unit, requested_date, shipped_date, status, updated_at, stated_unit, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT order_number, line_number, business_date, channel, sku, location_code, ordered_quantity, shipped_quantity, shipped_on_time_quantity, cancelled_quantity, cancel_reason, unit, requested_date, shipped_date, status, updated_at, stated_unit, _load_id, _row, _line, _business_time, _generation FROM before;
END IF;

-- What wins now, for each of these keys, next to what won before.
CREATE TEMP TABLE changes AS
WITH winners AS (
  SELECT *
  FROM statements
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY location_code, business_date, channel, order_number, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) = 1
)
SELECT
  touched.location_code, touched.business_date, touched.channel, touched.order_number, touched.line_number,
  now.sku, now.ordered_quantity, now.shipped_quantity, now.shipped_on_time_quantity, now.cancelled_quantity, now.cancel_reason, now.unit, now.requested_date, now.shipped_date, now.status, now.updated_at, now.stated_unit, now._load_id, now._row, now._line, now._business_time, now._generation,
  was._load_id AS _was_load_id, was.order_number AS _was_order_number, was.line_number AS _was_line_number, was.business_date AS _was_business_date, was.channel AS _was_channel, was.sku AS _was_sku, was.location_code AS _was_location_code, was.ordered_quantity AS _was_ordered_quantity, was.shipped_quantity AS _was_shipped_quantity, was.shipped_on_time_quantity AS _was_shipped_on_time_quantity, was.cancelled_quantity AS _was_cancelled_quantity, was.cancel_reason AS _was_cancel_reason, was.unit AS _was_unit, was.requested_date AS _was_requested_date, was.shipped_date AS _was_shipped_date, was.status AS _was_status, was.updated_at AS _was_updated_at, was.stated_unit AS _was_stated_unit,
  now._load_id IS NULL OR was._load_id IS NULL
  OR now.sku IS DISTINCT FROM was.sku
  OR now.ordered_quantity IS DISTINCT FROM was.ordered_quantity
  OR now.shipped_quantity IS DISTINCT FROM was.shipped_quantity
  OR now.shipped_on_time_quantity IS DISTINCT FROM was.shipped_on_time_quantity
  OR now.cancelled_quantity IS DISTINCT FROM was.cancelled_quantity
  OR now.cancel_reason IS DISTINCT FROM was.cancel_reason
  OR now.unit IS DISTINCT FROM was.unit
  OR now.requested_date IS DISTINCT FROM was.requested_date
  OR now.shipped_date IS DISTINCT FROM was.shipped_date
  OR now.status IS DISTINCT FROM was.status
  OR now.stated_unit IS DISTINCT FROM was.stated_unit AS _content_changed
FROM touched
LEFT JOIN winners AS now ON touched.location_code = now.location_code AND touched.business_date = now.business_date AND touched.channel = now.channel AND touched.order_number = now.order_number AND touched.line_number = now.line_number
LEFT JOIN before AS was ON touched.location_code = was.location_code AND touched.business_date = was.business_date AND touched.channel = was.channel AND touched.order_number = was.order_number AND touched.line_number = was.line_number
WHERE now._load_id IS DISTINCT FROM was._load_id
  OR now._row IS DISTINCT FROM was._row
  OR now._line IS DISTINCT FROM was._line
  OR now._business_time IS DISTINCT FROM was._business_time
  OR now.sku IS DISTINCT FROM was.sku
  OR now.ordered_quantity IS DISTINCT FROM was.ordered_quantity
  OR now.shipped_quantity IS DISTINCT FROM was.shipped_quantity
  OR now.shipped_on_time_quantity IS DISTINCT FROM was.shipped_on_time_quantity
  OR now.cancelled_quantity IS DISTINCT FROM was.cancelled_quantity
  OR now.cancel_reason IS DISTINCT FROM was.cancel_reason
  OR now.unit IS DISTINCT FROM was.unit
  OR now.requested_date IS DISTINCT FROM was.requested_date
  OR now.shipped_date IS DISTINCT FROM was.shipped_date
  OR now.status IS DISTINCT FROM was.status
  OR now.updated_at IS DISTINCT FROM was.updated_at
  OR now.stated_unit IS DISTINCT FROM was.stated_unit;

IF again THEN
  DELETE FROM inventory_curated.customer_orders_history AS history
  WHERE history._load_id IN UNNEST(@loads)
    AND history.business_date IN UNNEST(business_dates);
END IF;

INSERT INTO inventory_curated.customer_orders_history (order_number, line_number, business_date, channel, sku, location_code, ordered_quantity, shipped_quantity, shipped_on_time_quantity, cancelled_quantity, cancel_reason, unit, requested_date, shipped_date, status, updated_at, stated_unit, _load_id, _row, _line, _business_time, _generation, _updated_at, _replaced_by)
SELECT order_number, line_number, business_date, channel, sku, location_code, ordered_quantity, shipped_quantity, shipped_on_time_quantity, cancelled_quantity, cancel_reason, unit, requested_date, shipped_date, status, updated_at, stated_unit, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP(), generations.replaced_by
FROM typed
LEFT JOIN generations ON generations.load_id = typed._load_id
WHERE typed._issue IS NULL;

IF replacing_others THEN
  UPDATE inventory_curated.customer_orders_history AS history
  SET _replaced_by = generations.replaced_by, _updated_at = CURRENT_TIMESTAMP()
  FROM generations
  WHERE generations.load_id = history._load_id
    AND history._load_id NOT IN UNNEST(@loads)
    AND history._replaced_by IS DISTINCT FROM generations.replaced_by
    AND history.business_date IN UNNEST(business_dates);
END IF;

IF EXISTS (SELECT 1 FROM changes WHERE _was_load_id IS NOT NULL) THEN
  DELETE FROM inventory_curated.customer_orders AS kept
  WHERE EXISTS (SELECT 1 FROM changes WHERE changes.location_code = kept.location_code AND changes.business_date = kept.business_date AND changes.channel = kept.channel AND changes.order_number = kept.order_number AND changes.line_number = kept.line_number)
    AND kept.business_date IN UNNEST(business_dates);
END IF;

INSERT INTO inventory_curated.customer_orders (order_number, line_number, business_date, channel, sku, location_code, ordered_quantity, shipped_quantity, shipped_on_time_quantity, cancelled_quantity, cancel_reason, unit, requested_date, shipped_date, status, updated_at, stated_unit, _load_id, _row, _line, _business_time, _generation, _updated_at)
SELECT order_number, line_number, business_date, channel, sku, location_code, ordered_quantity, shipped_quantity, shipped_on_time_quantity, cancelled_quantity, cancel_reason, unit, requested_date, shipped_date, status, updated_at, stated_unit, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP() FROM changes WHERE _load_id IS NOT NULL;

IF refusing THEN
  INSERT INTO inventory_ops.quarantine_rows (
    run_id, load_id, feed, `row`, line, stage, rule, column_name, value, expected, message, severity, original_row,
    recorded_at, landed_on
  )
  SELECT
    batch.next_run,
    typed._load_id,
    'customer_orders',
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
      raw.order_number AS order_number, raw.line_number AS line_number, raw.business_date AS business_date, raw.channel AS channel, raw.sku AS sku, raw.location_code AS location_code, raw.ordered_quantity AS ordered_quantity, raw.shipped_quantity AS shipped_quantity, raw.shipped_on_time_quantity AS shipped_on_time_quantity, raw.cancelled_quantity AS cancelled_quantity, raw.cancel_reason AS cancel_reason, raw.unit AS unit, raw.requested_date AS requested_date, raw.shipped_date AS shipped_date, raw.status AS status, raw.updated_at AS updated_at
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
  FROM inventory_curated.customer_orders AS kept
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
    SELECT IF(_load_id IN UNNEST(@loads), _load_id, _before_load_id) AS load_id, TO_JSON_STRING(STRUCT(CAST(location_code AS STRING) AS location_code, CAST(business_date AS STRING) AS business_date, CAST(channel AS STRING) AS channel, CAST(order_number AS STRING) AS order_number, CAST(line_number AS STRING) AS line_number, CAST(sku AS STRING) AS sku, CAST(_before_sku AS STRING) AS before_sku, _before_load_id AS before_load_id)) AS example
    FROM (
      SELECT
        location_code, business_date, channel, order_number, line_number, sku, _load_id,
        LEAD(_load_id) OVER (PARTITION BY location_code, business_date, channel, order_number, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) AS _before_load_id,
        LEAD(sku) OVER (PARTITION BY location_code, business_date, channel, order_number, line_number ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) AS _before_sku
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
  batch.load_id, 'customer_orders', batch.bucket, batch.object, batch.generation,
  'transform', 'transformed', @version, batch.next_run, batch.raw_run_id, batch.record_id,
  COALESCE(counted.passed, 0) + COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0),
  COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0) - COALESCE(kept.kept, 0),
  batch.content_md5, batch.size_bytes, batch.landed_at, batch.landed_on, @started, clock.finished_at,
  CONCAT(
    -- in two pieces, so that the name stays free of an environment's prefix
    '{"tables":["inventory', '_curated.customer_orders"],"dates":[', COALESCE(days.dates, ''),
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
SET overtaken = (SELECT CONCAT((SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM inventory_curated.products_history))) != (SELECT MAX(dimensions_seen) FROM batch);

IF overtaken THEN
  INSERT INTO inventory_ops.load_stages (`record_id`, `landed_on`, `load_id`, `feed`, `stage`, `state`, `stage_version`, `started_at`, `finished_at`, `bucket`, `object`, `generation`, `run_id`, `raw_run_id`, `input_record`, `lines`, `rows`, `rejects`, `quarantined`, `superseded`, `reason_code`, `message`, `content_md5`, `size_bytes`, `landed_at`, `detail`)
  SELECT SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform', CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')))), 1, 20), latest.`landed_on`, latest.`load_id`, latest.`feed`, latest.`stage`, 'pending', latest.`stage_version`, latest.`started_at`, latest.marked_at, latest.`bucket`, latest.`object`, latest.`generation`, latest.`run_id`, latest.`raw_run_id`, CAST(NULL AS STRING), latest.`lines`, latest.`rows`, latest.`rejects`, latest.`quarantined`, latest.`superseded`, 'overtaken', 'products changed while this load was transformed', latest.`content_md5`, latest.`size_bytes`, latest.`landed_at`, CAST(NULL AS STRING)
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
