-- One drain of products: @loads go from raw to curated in one transaction. Built by merge.py.
-- @records are the validations that were found complete; @days the landing days of the loads, @near those on which
-- other generations of their objects may have landed; a newer generation of @replacing loads' objects replaces them.
-- Whether raw holds the rows that validation counted, and the model answers each; whether rows are refused; whether
-- these loads were transformed before; whether they make other loads' statements count or not count any more; one of
-- both.
DECLARE complete, refusing, again, replacing_others, restating, overtaken BOOL;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_products AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_customer_orders AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_purchase_orders AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_sales AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_stock_counts AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_stock_movements AS SELECT 0 AS turn;
CREATE TABLE IF NOT EXISTS inventory_curated.turn_stock_snapshots AS SELECT 0 AS turn;
BEGIN TRANSACTION;

-- Two drains of one feed at once both change this row, so BigQuery aborts the later one.
UPDATE inventory_curated.turn_products SET turn = turn + 1 WHERE TRUE;

CREATE TEMP TABLE batch AS
SELECT
  load_id, bucket, object, generation, run_id, raw_run_id, record_id, state, `rows`, content_md5, size_bytes,
  landed_at, landed_on,
  COALESCE(JSON_VALUE(detail, '$.decimal_mark'), '.') AS decimal_mark,
  COALESCE(JSON_VALUE(detail, '$.date_order'), 'ymd') AS date_order,
  COALESCE(JSON_VALUE(detail, '$.time_zone'), 'UTC') AS time_zone,
  load_id IN UNNEST(@replacing) AS replaces,
  SUBSTR(TO_HEX(SHA256(CONCAT(record_id, @version, @drain))), 1, 20) AS next_run,
  (SELECT CONCAT((SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM inventory_curated.exchange_rates))) AS dimensions_seen,
  (SELECT (SELECT MAX(turn) FROM inventory_curated.turn_customer_orders) + (SELECT MAX(turn) FROM inventory_curated.turn_purchase_orders) + (SELECT MAX(turn) FROM inventory_curated.turn_sales) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_counts) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_movements) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_snapshots)) AS others_seen
FROM inventory_ops.load_stages
WHERE landed_on IN UNNEST(@days)
  AND load_id IN UNNEST(@loads)
  AND stage = 'validate'
  AND record_id IN UNNEST(@records)
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1;

-- The rows of the committed runs, without those that validation refused.
CREATE TEMP TABLE accepted AS
SELECT
  raw._load_id, raw._row, raw._line, raw.sku, raw.name, raw.category, raw.brand, raw.gtin, raw.base_unit, raw.pack_unit, raw.units_per_pack, raw.unit_cost, raw.unit_price, raw.currency, raw.lead_time_days, raw.supplier_code, raw.listed_from, raw.delisted_on, raw.updated_at,
  batch.decimal_mark AS _decimal,
  batch.date_order AS _date_order,
  batch.time_zone AS _time_zone,
  batch.generation AS _generation,
  batch.landed_at AS _landed_at
FROM inventory_raw.products AS raw
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
  -- Products: typed, units by their usual codes, costs and prices in the base currency at the rate of the day. A product
  -- whose currency has no rate is kept without its cost and price: _unvalued says why.
  WITH worded AS (
    -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
    SELECT accepted.* REPLACE (
      inventory_curated.to_word(base_unit) AS base_unit,
      inventory_curated.to_word(pack_unit) AS pack_unit,
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
      inventory_curated.bare_amount(unit_cost, currency) AS unit_cost,
      inventory_curated.bare_amount(unit_price, currency) AS unit_price
    )
    FROM coded
  ),
  stated AS (
    SELECT
      inventory_curated.to_code(sku) AS sku,
      inventory_curated.to_text(name) AS name,
      inventory_curated.to_text(category) AS category,
      inventory_curated.to_text(brand) AS brand,
      inventory_curated.to_gtin(gtin) AS gtin,
      inventory_curated.to_unit(base_unit) AS base_unit,
      inventory_curated.to_unit(pack_unit) AS pack_unit,
      inventory_curated.to_number(units_per_pack, _decimal) AS units_per_pack,
      inventory_curated.to_number(unit_cost, _decimal) AS stated_unit_cost,
      inventory_curated.to_number(unit_price, _decimal) AS stated_unit_price,
      currency AS stated_currency,
      inventory_curated.to_integer(lead_time_days, _decimal) AS lead_time_days,
      inventory_curated.to_code(supplier_code) AS supplier_code,
      inventory_curated.to_date(listed_from, _date_order, _time_zone) AS listed_from,
      inventory_curated.to_date(delisted_on, _date_order, _time_zone) AS delisted_on,
      inventory_curated.to_timestamp(updated_at, _date_order, _time_zone) AS updated_at,
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
      IF(stated.stated_currency = inventory_curated.base_currency(), NUMERIC '1', day.rate_to_base) AS rate
    FROM stated
    LEFT JOIN inventory_curated.daily_rates AS day
      ON day.currency = stated.stated_currency AND day.business_date = DATE(LEAST(COALESCE(stated.updated_at, stated._landed_at), stated._landed_at))
  )
  SELECT
    sku,
    name,
    category,
    brand,
    gtin,
    COALESCE(base_unit, 'EA') AS base_unit,
    pack_unit,
    units_per_pack,
    ROUND(SAFE_MULTIPLY(stated_unit_cost, rate), 6) AS unit_cost,
    ROUND(SAFE_MULTIPLY(stated_unit_price, rate), 6) AS unit_price,
    inventory_curated.base_currency() AS currency,
    lead_time_days,
    supplier_code,
    listed_from,
    delisted_on,
    updated_at,
    stated_unit_cost,
    stated_unit_price,
    stated_currency,
    _load_id,
    _row,
    _line,
    LEAST(COALESCE(updated_at, _landed_at), _landed_at) AS _business_time,
    _generation,
    CASE
      WHEN rate IS NULL AND COALESCE(stated_unit_cost, stated_unit_price) IS NOT NULL
        THEN CONCAT('unknown_exchange_rate|currency|', stated_currency, '|a rate of at most 7 days before ', CAST(DATE(LEAST(COALESCE(updated_at, _landed_at), _landed_at)) AS STRING))
    END AS _unvalued,
    CAST(NULL AS STRING) AS _issue
  FROM converted
)
SELECT
  model.* EXCEPT (_issue),
  CASE
    WHEN model._issue IS NOT NULL THEN model._issue
    WHEN model.sku IS NULL AND NOT inventory_curated.is_blank(raw.sku, 'string')
      THEN CONCAT('unreadable|sku|', REPLACE(raw.sku, '|', ' '), '|a known value')
    WHEN model.name IS NULL AND NOT inventory_curated.is_blank(raw.name, 'string')
      THEN CONCAT('unreadable|name|', REPLACE(raw.name, '|', ' '), '|a known value')
    WHEN model.category IS NULL AND NOT inventory_curated.is_blank(raw.category, 'string')
      THEN CONCAT('unreadable|category|', REPLACE(raw.category, '|', ' '), '|a known value')
    WHEN model.brand IS NULL AND NOT inventory_curated.is_blank(raw.brand, 'string')
      THEN CONCAT('unreadable|brand|', REPLACE(raw.brand, '|', ' '), '|a known value')
    WHEN model.base_unit IS NULL AND NOT inventory_curated.is_blank(raw.base_unit, 'word')
      THEN CONCAT('unreadable|base_unit|', REPLACE(raw.base_unit, '|', ' '), '|a known value')
    WHEN model.pack_unit IS NULL AND NOT inventory_curated.is_blank(raw.pack_unit, 'word')
      THEN CONCAT('unreadable|pack_unit|', REPLACE(raw.pack_unit, '|', ' '), '|a known value')
    WHEN model.units_per_pack IS NULL AND NOT inventory_curated.is_blank(raw.units_per_pack, 'number') AND inventory_curated.is_number(raw.units_per_pack, raw._decimal)
      THEN CONCAT('out_of_range|units_per_pack|', REPLACE(raw.units_per_pack, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.units_per_pack IS NULL AND NOT inventory_curated.is_blank(raw.units_per_pack, 'number')
      THEN CONCAT('unreadable|units_per_pack|', REPLACE(raw.units_per_pack, '|', ' '), '|a number')
    WHEN model.unit_cost IS NULL AND NOT inventory_curated.is_blank(raw.unit_cost, 'number') AND (model._unvalued IS NULL OR model.stated_unit_cost IS NULL) AND inventory_curated.is_number(raw.unit_cost, raw._decimal)
      THEN CONCAT('out_of_range|unit_cost|', REPLACE(raw.unit_cost, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.unit_cost IS NULL AND NOT inventory_curated.is_blank(raw.unit_cost, 'number') AND (model._unvalued IS NULL OR model.stated_unit_cost IS NULL)
      THEN CONCAT('unreadable|unit_cost|', REPLACE(raw.unit_cost, '|', ' '), '|a number')
    WHEN model.unit_price IS NULL AND NOT inventory_curated.is_blank(raw.unit_price, 'number') AND (model._unvalued IS NULL OR model.stated_unit_price IS NULL) AND inventory_curated.is_number(raw.unit_price, raw._decimal)
      THEN CONCAT('out_of_range|unit_price|', REPLACE(raw.unit_price, '|', ' '), '|a number below 10 to the 29th, also in base units and in the base currency')
    WHEN model.unit_price IS NULL AND NOT inventory_curated.is_blank(raw.unit_price, 'number') AND (model._unvalued IS NULL OR model.stated_unit_price IS NULL)
      THEN CONCAT('unreadable|unit_price|', REPLACE(raw.unit_price, '|', ' '), '|a number')
    WHEN model.currency IS NULL AND NOT inventory_curated.is_blank(raw.currency, 'word') AND (model._unvalued IS NULL OR model.stated_currency IS NULL)
      THEN CONCAT('unreadable|currency|', REPLACE(raw.currency, '|', ' '), '|a known value')
    WHEN model.lead_time_days IS NULL AND NOT inventory_curated.is_blank(raw.lead_time_days, 'integer')
      THEN CONCAT('unreadable|lead_time_days|', REPLACE(raw.lead_time_days, '|', ' '), '|a whole number')
    WHEN model.supplier_code IS NULL AND NOT inventory_curated.is_blank(raw.supplier_code, 'string')
      THEN CONCAT('unreadable|supplier_code|', REPLACE(raw.supplier_code, '|', ' '), '|a known value')
    WHEN model.listed_from IS NULL AND NOT inventory_curated.is_blank(raw.listed_from, 'date')
      THEN CONCAT('unreadable|listed_from|', REPLACE(raw.listed_from, '|', ' '), '|a date')
    WHEN model.delisted_on IS NULL AND NOT inventory_curated.is_blank(raw.delisted_on, 'date')
      THEN CONCAT('unreadable|delisted_on|', REPLACE(raw.delisted_on, '|', ' '), '|a date')
    WHEN model.updated_at IS NULL AND NOT inventory_curated.is_blank(raw.updated_at, 'timestamp')
      THEN CONCAT('unreadable|updated_at|', REPLACE(raw.updated_at, '|', ' '), '|a date and time')
    WHEN model.sku IS NULL THEN 'missing|sku||a value'
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
  RAISE USING MESSAGE = 'raw must hold the rows that validation counted, and the model of products return one for each';
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
      AND feed = 'products'
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
  FROM inventory_curated.products_history
  WHERE _replaced_by IN UNNEST(@loads)
    AND _load_id NOT IN UNNEST(@loads)
    AND _load_id NOT IN (SELECT load_id FROM generations);
END IF;

SET replacing_others = EXISTS (SELECT 1 FROM generations WHERE load_id NOT IN UNNEST(@loads));

SET restating = again OR replacing_others;

-- The keys that these loads state or stated, or that generations state which these loads replace or give back.
CREATE TEMP TABLE touched AS SELECT DISTINCT sku FROM typed WHERE _issue IS NULL;

IF restating THEN
  INSERT INTO touched (sku)
  SELECT sku
  FROM inventory_curated.products_history
  WHERE _load_id IN UNNEST(@loads) OR _load_id IN (SELECT load_id FROM generations)
  EXCEPT DISTINCT
  SELECT sku FROM touched;
END IF;

-- What won before, of these keys.
CREATE TEMP TABLE before AS
SELECT was.sku, was.name, was.category, was.brand, was.gtin, was.base_unit, was.pack_unit, was.units_per_pack, was.unit_cost, was.unit_price, was.currency, was.lead_time_days, was.supplier_code, was.listed_from, was.delisted_on, was.updated_at, was.stated_unit_cost, was.stated_unit_price, was.stated_currency, was._load_id, was._row, was._line, was._business_time, was._generation
FROM inventory_curated.products AS was
JOIN touched ON touched.sku = was.sku;

-- What was said of the touched products, by day, before these loads.
CREATE TEMP TABLE products_before AS
SELECT by_day.*
FROM inventory_curated.products_by_day AS by_day
JOIN touched ON touched.sku = by_day.sku;

-- What is stated by these loads and was stated before. Only where statements leave does the history say which one wins
-- without them; else it is the one that won before, or a new one.
IF restating THEN
  CREATE TEMP TABLE statements AS
  SELECT sku, name, category, brand, gtin, base_unit, pack_unit, units_per_pack, unit_cost, unit_price, currency, lead_time_days, supplier_code, listed_from, delisted_on, updated_at, stated_unit_cost, stated_unit_price, stated_currency, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT history.sku, history.name, history.category, history.brand, history.gtin, history.base_unit, history.pack_unit, history.units_per_pack, history.unit_cost, history.unit_price, history.currency, history.lead_time_days, history.supplier_code, history.listed_from, history.delisted_on, history.updated_at, history.stated_unit_cost, history.stated_unit_price, history.stated_currency, history._load_id, history._row, history._line, history._business_time, history._generation
  FROM inventory_curated.products_history AS history
  JOIN touched ON touched.sku = history.sku
  LEFT JOIN generations ON generations.load_id = history._load_id
  WHERE history._load_id NOT IN UNNEST(@loads)
    AND IF(generations.load_id IS NULL, history._replaced_by, generations.replaced_by) IS NULL;
ELSE
  CREATE TEMP TABLE statements AS
  SELECT sku, name, category, brand, gtin, base_unit, pack_unit, units_per_pack, unit_cost, unit_price, currency, lead_time_days, supplier_code, listed_from, delisted_on, updated_at, stated_unit_cost, stated_unit_price, stated_currency, _load_id, _row, _line, _business_time, _generation
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL
  UNION ALL
  SELECT sku, name, category, brand, gtin, base_unit, pack_unit, units_per_pack, unit_cost, unit_price, currency, lead_time_days, supplier_code, listed_from, delisted_on, updated_at, stated_unit_cost, stated_unit_price, stated_currency, _load_id, _row, _line, _business_time, _generation FROM before;
END IF;

-- What wins now, for each of these keys, next to what won before.
CREATE TEMP TABLE changes AS
WITH winners AS (
  SELECT *
  FROM statements
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY sku ORDER BY _business_time DESC, _generation DESC, _load_id DESC, _row DESC) = 1
)
SELECT
  touched.sku,
  now.name, now.category, now.brand, now.gtin, now.base_unit, now.pack_unit, now.units_per_pack, now.unit_cost, now.unit_price, now.currency, now.lead_time_days, now.supplier_code, now.listed_from, now.delisted_on, now.updated_at, now.stated_unit_cost, now.stated_unit_price, now.stated_currency, now._load_id, now._row, now._line, now._business_time, now._generation,
  was._load_id AS _was_load_id, was.sku AS _was_sku, was.name AS _was_name, was.category AS _was_category, was.brand AS _was_brand, was.gtin AS _was_gtin, was.base_unit AS _was_base_unit, was.pack_unit AS _was_pack_unit, was.units_per_pack AS _was_units_per_pack, was.unit_cost AS _was_unit_cost, was.unit_price AS _was_unit_price, was.currency AS _was_currency, was.lead_time_days AS _was_lead_time_days, was.supplier_code AS _was_supplier_code, was.listed_from AS _was_listed_from, was.delisted_on AS _was_delisted_on, was.updated_at AS _was_updated_at, was.stated_unit_cost AS _was_stated_unit_cost, was.stated_unit_price AS _was_stated_unit_price, was.stated_currency AS _was_stated_currency,
  now._load_id IS NULL OR was._load_id IS NULL
  OR now.name IS DISTINCT FROM was.name
  OR now.category IS DISTINCT FROM was.category
  OR now.brand IS DISTINCT FROM was.brand
  OR now.gtin IS DISTINCT FROM was.gtin
  OR now.base_unit IS DISTINCT FROM was.base_unit
  OR now.pack_unit IS DISTINCT FROM was.pack_unit
  OR now.units_per_pack IS DISTINCT FROM was.units_per_pack
  OR now.unit_cost IS DISTINCT FROM was.unit_cost
  OR now.unit_price IS DISTINCT FROM was.unit_price
  OR now.currency IS DISTINCT FROM was.currency
  OR now.lead_time_days IS DISTINCT FROM was.lead_time_days
  OR now.supplier_code IS DISTINCT FROM was.supplier_code
  OR now.listed_from IS DISTINCT FROM was.listed_from
  OR now.delisted_on IS DISTINCT FROM was.delisted_on
  OR now.stated_unit_cost IS DISTINCT FROM was.stated_unit_cost
  OR now.stated_unit_price IS DISTINCT FROM was.stated_unit_price
  OR now.stated_currency IS DISTINCT FROM was.stated_currency AS _content_changed
FROM touched
LEFT JOIN winners AS now ON touched.sku = now.sku
LEFT JOIN before AS was ON touched.sku = was.sku
WHERE now._load_id IS DISTINCT FROM was._load_id
  OR now._row IS DISTINCT FROM was._row
  OR now._line IS DISTINCT FROM was._line
  OR now._business_time IS DISTINCT FROM was._business_time
  OR now.name IS DISTINCT FROM was.name
  OR now.category IS DISTINCT FROM was.category
  OR now.brand IS DISTINCT FROM was.brand
  OR now.gtin IS DISTINCT FROM was.gtin
  OR now.base_unit IS DISTINCT FROM was.base_unit
  OR now.pack_unit IS DISTINCT FROM was.pack_unit
  OR now.units_per_pack IS DISTINCT FROM was.units_per_pack
  OR now.unit_cost IS DISTINCT FROM was.unit_cost
  OR now.unit_price IS DISTINCT FROM was.unit_price
  OR now.currency IS DISTINCT FROM was.currency
  OR now.lead_time_days IS DISTINCT FROM was.lead_time_days
  OR now.supplier_code IS DISTINCT FROM was.supplier_code
  OR now.listed_from IS DISTINCT FROM was.listed_from
  OR now.delisted_on IS DISTINCT FROM was.delisted_on
  OR now.updated_at IS DISTINCT FROM was.updated_at
  OR now.stated_unit_cost IS DISTINCT FROM was.stated_unit_cost
  OR now.stated_unit_price IS DISTINCT FROM was.stated_unit_price
  OR now.stated_currency IS DISTINCT FROM was.stated_currency;

IF again THEN
  DELETE FROM inventory_curated.products_history AS history
  WHERE history._load_id IN UNNEST(@loads);
END IF;

INSERT INTO inventory_curated.products_history (sku, name, category, brand, gtin, base_unit, pack_unit, units_per_pack, unit_cost, unit_price, currency, lead_time_days, supplier_code, listed_from, delisted_on, updated_at, stated_unit_cost, stated_unit_price, stated_currency, _load_id, _row, _line, _business_time, _generation, _updated_at, _replaced_by)
SELECT sku, name, category, brand, gtin, base_unit, pack_unit, units_per_pack, unit_cost, unit_price, currency, lead_time_days, supplier_code, listed_from, delisted_on, updated_at, stated_unit_cost, stated_unit_price, stated_currency, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP(), generations.replaced_by
FROM typed
LEFT JOIN generations ON generations.load_id = typed._load_id
WHERE typed._issue IS NULL;

IF replacing_others THEN
  UPDATE inventory_curated.products_history AS history
  SET _replaced_by = generations.replaced_by, _updated_at = CURRENT_TIMESTAMP()
  FROM generations
  WHERE generations.load_id = history._load_id
    AND history._load_id NOT IN UNNEST(@loads)
    AND history._replaced_by IS DISTINCT FROM generations.replaced_by;
END IF;

IF EXISTS (SELECT 1 FROM changes WHERE _was_load_id IS NOT NULL) THEN
  DELETE FROM inventory_curated.products AS kept
  WHERE EXISTS (SELECT 1 FROM changes WHERE changes.sku = kept.sku);
END IF;

INSERT INTO inventory_curated.products (sku, name, category, brand, gtin, base_unit, pack_unit, units_per_pack, unit_cost, unit_price, currency, lead_time_days, supplier_code, listed_from, delisted_on, updated_at, stated_unit_cost, stated_unit_price, stated_currency, _load_id, _row, _line, _business_time, _generation, _updated_at)
SELECT sku, name, category, brand, gtin, base_unit, pack_unit, units_per_pack, unit_cost, unit_price, currency, lead_time_days, supplier_code, listed_from, delisted_on, updated_at, stated_unit_cost, stated_unit_price, stated_currency, _load_id, _row, _line, _business_time, _generation, CURRENT_TIMESTAMP() FROM changes WHERE _load_id IS NOT NULL;

-- What is said of them now, and where it differs: a late statement changes days of the past, and not the current row.
CREATE TEMP TABLE products_after AS
SELECT by_day.*
FROM inventory_curated.products_by_day AS by_day
JOIN touched ON touched.sku = by_day.sku;

CREATE TEMP TABLE changed_by_day AS
SELECT column_name, MIN(GREATEST(now.valid_from, was.valid_from)) AS first_day
FROM products_after AS now
JOIN products_before AS was
  ON was.sku = now.sku AND was.valid_from <= now.valid_to AND now.valid_from <= was.valid_to
CROSS JOIN UNNEST([
  IF(now.category IS DISTINCT FROM was.category, 'category', NULL),
  IF(now.supplier_code IS DISTINCT FROM was.supplier_code, 'supplier_code', NULL),
  IF(now.base_unit IS DISTINCT FROM was.base_unit, 'base_unit', NULL),
  IF(now.pack_unit IS DISTINCT FROM was.pack_unit, 'pack_unit', NULL),
  IF(now.units_per_pack IS DISTINCT FROM was.units_per_pack, 'units_per_pack', NULL),
  IF(now.unit_cost IS DISTINCT FROM was.unit_cost, 'unit_cost', NULL),
  IF(now.unit_price IS DISTINCT FROM was.unit_price, 'unit_price', NULL)
]) AS column_name
WHERE column_name IS NOT NULL
GROUP BY column_name;

-- The days on which the pack or the base unit of a product is another one now.
CREATE TEMP TABLE repacked AS
SELECT
  now.sku,
  GREATEST(now.valid_from, was.valid_from) AS first_day,
  LEAST(now.valid_to, was.valid_to) AS last_day,
  now.base_unit
FROM products_after AS now
JOIN products_before AS was
  ON was.sku = now.sku AND was.valid_from <= now.valid_to AND now.valid_from <= was.valid_to
WHERE now.base_unit IS DISTINCT FROM was.base_unit
  OR now.pack_unit IS DISTINCT FROM was.pack_unit
  OR now.units_per_pack IS DISTINCT FROM was.units_per_pack
UNION ALL
SELECT sku, valid_from, valid_to, base_unit FROM products_after WHERE sku NOT IN (SELECT sku FROM products_before)
UNION ALL
SELECT sku, valid_from, valid_to, CAST(NULL AS STRING)
FROM products_before
WHERE sku NOT IN (SELECT sku FROM products_after);

IF refusing THEN
  INSERT INTO inventory_ops.quarantine_rows (
    run_id, load_id, feed, `row`, line, stage, rule, column_name, value, expected, message, severity, original_row,
    recorded_at, landed_on
  )
  SELECT
    batch.next_run,
    typed._load_id,
    'products',
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
      raw.sku AS sku, raw.name AS name, raw.category AS category, raw.brand AS brand, raw.gtin AS gtin, raw.base_unit AS base_unit, raw.pack_unit AS pack_unit, raw.units_per_pack AS units_per_pack, raw.unit_cost AS unit_cost, raw.unit_price AS unit_price, raw.currency AS currency, raw.lead_time_days AS lead_time_days, raw.supplier_code AS supplier_code, raw.listed_from AS listed_from, raw.delisted_on AS delisted_on, raw.updated_at AS updated_at
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
  FROM inventory_curated.products AS kept
  WHERE _load_id IN UNNEST(@loads)
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
        WHEN COALESCE(JSON_QUERY(detail, '$.columns'), JSON_QUERY(detail, '$.keys')) IS NULL OR JSON_QUERY(detail, '$.by_day') IS NULL THEN ['']
        ELSE JSON_VALUE_ARRAY(COALESCE(JSON_QUERY(detail, '$.columns'), JSON_QUERY(detail, '$.besides')))
      END AS days
    FROM unseen_runs
  ) AS said
  CROSS JOIN UNNEST(said.days) AS day
  UNION ALL
  SELECT load_id, CONCAT('#', said)
  FROM unseen_runs
  CROSS JOIN UNNEST(JSON_VALUE_ARRAY(detail, '$.keys')) AS said
  UNION ALL
  SELECT load_id, CONCAT('@', said)
  FROM unseen_runs
  CROSS JOIN UNNEST(JSON_VALUE_ARRAY(detail, '$.by_day')) AS said
),
touched_days AS (
  SELECT
    CASE
      WHEN _load_id IN UNNEST(@loads) THEN _load_id
      WHEN _was_load_id IN UNNEST(@loads) THEN _was_load_id
      ELSE (SELECT MIN(load_id) FROM batch)
    END AS load_id,
    day
  FROM (
    SELECT _load_id, _was_load_id, IF(_load_id IS NULL OR _was_load_id IS NULL, CONCAT('#', sku), day) AS day
    FROM changes
    CROSS JOIN UNNEST([
      IF(name IS DISTINCT FROM _was_name, '*name', NULL),
      IF(category IS DISTINCT FROM _was_category, '*category', NULL),
      IF(brand IS DISTINCT FROM _was_brand, '*brand', NULL),
      IF(gtin IS DISTINCT FROM _was_gtin, '*gtin', NULL),
      IF(base_unit IS DISTINCT FROM _was_base_unit, '*base_unit', NULL),
      IF(pack_unit IS DISTINCT FROM _was_pack_unit, '*pack_unit', NULL),
      IF(units_per_pack IS DISTINCT FROM _was_units_per_pack, '*units_per_pack', NULL),
      IF(unit_cost IS DISTINCT FROM _was_unit_cost, '*unit_cost', NULL),
      IF(unit_price IS DISTINCT FROM _was_unit_price, '*unit_price', NULL),
      IF(currency IS DISTINCT FROM _was_currency, '*currency', NULL),
      IF(lead_time_days IS DISTINCT FROM _was_lead_time_days, '*lead_time_days', NULL),
      IF(supplier_code IS DISTINCT FROM _was_supplier_code, '*supplier_code', NULL),
      IF(listed_from IS DISTINCT FROM _was_listed_from, '*listed_from', NULL),
      IF(delisted_on IS DISTINCT FROM _was_delisted_on, '*delisted_on', NULL),
      IF(stated_unit_cost IS DISTINCT FROM _was_stated_unit_cost, '*stated_unit_cost', NULL),
      IF(stated_unit_price IS DISTINCT FROM _was_stated_unit_price, '*stated_unit_price', NULL),
      IF(stated_currency IS DISTINCT FROM _was_stated_currency, '*stated_currency', NULL)
    ]) AS day
    WHERE _content_changed AND (day IS NOT NULL OR _load_id IS NULL OR _was_load_id IS NULL)
    UNION ALL
    SELECT CAST(NULL AS STRING), CAST(NULL AS STRING), mark
    FROM changed_by_day
    CROSS JOIN UNNEST([CONCAT('*', column_name), CONCAT('@', column_name, ' ', CAST(first_day AS STRING))]) AS mark
  )
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
  WHERE day IS NOT NULL AND NOT STARTS_WITH(day, '@')
  GROUP BY load_id
),
by_day AS (
  -- the first day on which a column says something else of a day
  SELECT load_id, STRING_AGG(CONCAT('"', column_name, ' ', first_day, '"'), ',') AS first_days
  FROM (
    SELECT load_id, REGEXP_EXTRACT(day, r'^@(\w+)') AS column_name, MIN(REGEXP_EXTRACT(day, r' (.+)$')) AS first_day
    FROM touched_days
    WHERE STARTS_WITH(day, '@')
    GROUP BY load_id, column_name
  )
  GROUP BY load_id
),
restated AS (
  SELECT CAST(NULL AS STRING) AS load_id, CAST(NULL AS STRING) AS said
),
-- Rows that are kept without their amounts, since the currency has no rate, and why the first one is.
unvalued AS (
  SELECT
    load_id,
    CONCAT(
      ',"unvalued":{"rows":', CAST(COUNT(*) AS STRING), ',"first_line":', CAST(MIN(line) AS STRING),
      ',"currencies":"', STRING_AGG(DISTINCT currency, ', ' ORDER BY currency), '","reason":"', MIN(reason), '"}'
    ) AS said
  FROM (
    SELECT
      _load_id AS load_id,
      _line AS line,
      SPLIT(_unvalued, '|')[SAFE_OFFSET(2)] AS currency,
      SPLIT(_unvalued, '|')[SAFE_OFFSET(0)] AS reason
    FROM typed
    WHERE _issue IS NULL AND _unvalued IS NOT NULL
  )
  GROUP BY load_id
),
clock AS (
  SELECT CURRENT_TIMESTAMP() AS finished_at
)
SELECT
  SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(batch.load_id) AS STRING), ':', batch.load_id, '9:transform', CAST(LENGTH(@version) AS STRING), ':', @version, '11:transformed', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.finished_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.finished_at), r'[.]000000', '')))), 1, 20),
  batch.load_id, 'products', batch.bucket, batch.object, batch.generation,
  'transform', 'transformed', @version, batch.next_run, batch.raw_run_id, batch.record_id,
  COALESCE(counted.passed, 0) + COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0),
  COALESCE(counted.refused, 0),
  COALESCE(counted.passed, 0) - COALESCE(kept.kept, 0),
  batch.content_md5, batch.size_bytes, batch.landed_at, batch.landed_on, @started, clock.finished_at,
  CONCAT(
    -- in two pieces, so that the name stays free of an environment's prefix
    '{"tables":["inventory', '_curated.products"],"dates":[', COALESCE(days.dates, ''),
    '],"all_dates":', IF(COALESCE(days.all_dates, FALSE), 'true', 'false'),
    CASE
      WHEN days.all_dates IS NOT TRUE OR days.is_whole THEN ''
      WHEN days.`keys` IS NULL THEN CONCAT(',"columns":[', days.columns, ']')
      ELSE CONCAT(',"keys":[', days.`keys`, '],"besides":[', COALESCE(days.columns, ''), ']')
    END,
    IF(
      days.all_dates AND NOT days.is_whole, CONCAT(',"by_day":[', COALESCE(by_day.first_days, ''), ']'), ''
    ),
    COALESCE(CONCAT(',"replaced_by":"', generations.replaced_by, '"'), ''),
    COALESCE(restated.said, ''), COALESCE(unvalued.said, ''), '}'
  )
FROM batch
CROSS JOIN clock
LEFT JOIN counted ON counted.load_id = batch.load_id
LEFT JOIN kept ON kept.load_id = batch.load_id
LEFT JOIN days ON days.load_id = batch.load_id
LEFT JOIN by_day ON by_day.load_id = batch.load_id
LEFT JOIN generations ON generations.load_id = batch.load_id
LEFT JOIN restated ON restated.load_id = batch.load_id
LEFT JOIN unvalued ON unvalued.load_id = batch.load_id;

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
    AND beside.feed IN ('customer_orders', 'purchase_orders', 'sales', 'stock_counts', 'stock_movements', 'stock_snapshots')
    AND beside.stage = 'transform'
    AND beside.state = 'transformed';
END IF;

-- Loads of other feeds that say something else now that products changed: to be transformed again.
IF EXISTS (SELECT 1 FROM repacked) THEN
  INSERT INTO requeued (load_id, feed, landed_on)
  SELECT load_id, feed, landed_on
  FROM inventory_ops.load_stages_latest
  WHERE landed_on >= DATE '2000-01-01' AND stage = 'transform' AND state = 'transformed' AND load_id IN (
    -- Loads with a quantity in units of a product whose units are now others on that day, or known at last.
    WITH facts AS (
      SELECT _load_id AS load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_snapshots_history
      UNION ALL
      SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_movements_history
      UNION ALL
      SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.sales_history
      UNION ALL
      SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.purchase_orders_history
      UNION ALL
      SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_counts_history
      UNION ALL
      SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.customer_orders_history
    )
    SELECT facts.load_id
    FROM facts
    JOIN repacked ON repacked.sku = facts.sku AND facts.business_date BETWEEN repacked.first_day AND repacked.last_day
    WHERE facts.unit IS DISTINCT FROM COALESCE(repacked.base_unit, 'EA')
      OR facts.stated_unit != facts.unit
    UNION DISTINCT
    SELECT refused.load_id
    FROM inventory_ops.quarantine AS refused
    JOIN repacked ON repacked.sku = inventory_curated.to_code(JSON_VALUE(refused.original_row, '$.sku'))
    WHERE refused.stage = 'transform' AND refused.rule = 'unknown_unit_factor'
  );
END IF;

IF EXISTS (SELECT 1 FROM requeued) THEN
  INSERT INTO inventory_ops.load_stages (`record_id`, `landed_on`, `load_id`, `feed`, `stage`, `state`, `stage_version`, `started_at`, `finished_at`, `bucket`, `object`, `generation`, `run_id`, `raw_run_id`, `input_record`, `lines`, `rows`, `rejects`, `quarantined`, `superseded`, `reason_code`, `message`, `content_md5`, `size_bytes`, `landed_at`, `detail`)
  SELECT SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform', CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')))), 1, 20), latest.`landed_on`, latest.`load_id`, latest.`feed`, latest.`stage`, 'pending', latest.`stage_version`, latest.`started_at`, latest.marked_at, latest.`bucket`, latest.`object`, latest.`generation`, latest.`run_id`, latest.`raw_run_id`, CAST(NULL AS STRING), latest.`lines`, latest.`rows`, latest.`rejects`, latest.`quarantined`, latest.`superseded`, 'products_changed', 'a later file of products changes what this load says', latest.`content_md5`, latest.`size_bytes`, latest.`landed_at`, CAST(NULL AS STRING)
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

IF (SELECT MAX(turn) FROM inventory_curated.turn_customer_orders) + (SELECT MAX(turn) FROM inventory_curated.turn_purchase_orders) + (SELECT MAX(turn) FROM inventory_curated.turn_sales) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_counts) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_movements) + (SELECT MAX(turn) FROM inventory_curated.turn_stock_snapshots) != (SELECT MAX(others_seen) FROM batch) THEN
  -- Loads of other feeds that say something else now that products changed: to be transformed again.
  IF EXISTS (SELECT 1 FROM repacked) THEN
    INSERT INTO requeued (load_id, feed, landed_on)
    SELECT load_id, feed, landed_on
    FROM inventory_ops.load_stages_latest
    WHERE landed_on >= DATE '2000-01-01' AND stage = 'transform' AND state = 'transformed' AND load_id IN (
      -- Loads with a quantity in units of a product whose units are now others on that day, or known at last.
      WITH facts AS (
        SELECT _load_id AS load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_snapshots_history
        UNION ALL
        SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_movements_history
        UNION ALL
        SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.sales_history
        UNION ALL
        SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.purchase_orders_history
        UNION ALL
        SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_counts_history
        UNION ALL
        SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.customer_orders_history
      )
      SELECT facts.load_id
      FROM facts
      JOIN repacked ON repacked.sku = facts.sku AND facts.business_date BETWEEN repacked.first_day AND repacked.last_day
      WHERE facts.unit IS DISTINCT FROM COALESCE(repacked.base_unit, 'EA')
        OR facts.stated_unit != facts.unit
      UNION DISTINCT
      SELECT refused.load_id
      FROM inventory_ops.quarantine AS refused
      JOIN repacked ON repacked.sku = inventory_curated.to_code(JSON_VALUE(refused.original_row, '$.sku'))
      WHERE refused.stage = 'transform' AND refused.rule = 'unknown_unit_factor'
    );
  END IF;

  IF EXISTS (SELECT 1 FROM requeued) THEN
    INSERT INTO inventory_ops.load_stages (`record_id`, `landed_on`, `load_id`, `feed`, `stage`, `state`, `stage_version`, `started_at`, `finished_at`, `bucket`, `object`, `generation`, `run_id`, `raw_run_id`, `input_record`, `lines`, `rows`, `rejects`, `quarantined`, `superseded`, `reason_code`, `message`, `content_md5`, `size_bytes`, `landed_at`, `detail`)
    SELECT SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform', CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')))), 1, 20), latest.`landed_on`, latest.`load_id`, latest.`feed`, latest.`stage`, 'pending', latest.`stage_version`, latest.`started_at`, latest.marked_at, latest.`bucket`, latest.`object`, latest.`generation`, latest.`run_id`, latest.`raw_run_id`, CAST(NULL AS STRING), latest.`lines`, latest.`rows`, latest.`rejects`, latest.`quarantined`, latest.`superseded`, 'products_changed', 'a later file of products changes what this load says', latest.`content_md5`, latest.`size_bytes`, latest.`landed_at`, CAST(NULL AS STRING)
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

-- A dimension changed under this drain: its loads are to be transformed again, also if whoever ran this dies now.
SET overtaken = (SELECT CONCAT((SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM inventory_curated.exchange_rates))) != (SELECT MAX(dimensions_seen) FROM batch);

IF overtaken THEN
  INSERT INTO inventory_ops.load_stages (`record_id`, `landed_on`, `load_id`, `feed`, `stage`, `state`, `stage_version`, `started_at`, `finished_at`, `bucket`, `object`, `generation`, `run_id`, `raw_run_id`, `input_record`, `lines`, `rows`, `rejects`, `quarantined`, `superseded`, `reason_code`, `message`, `content_md5`, `size_bytes`, `landed_at`, `detail`)
  SELECT SUBSTR(TO_HEX(SHA256(CONCAT(CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform', CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending', CAST(LENGTH(REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')) AS STRING), ':', REGEXP_REPLACE(FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', latest.marked_at), r'[.]000000', '')))), 1, 20), latest.`landed_on`, latest.`load_id`, latest.`feed`, latest.`stage`, 'pending', latest.`stage_version`, latest.`started_at`, latest.marked_at, latest.`bucket`, latest.`object`, latest.`generation`, latest.`run_id`, latest.`raw_run_id`, CAST(NULL AS STRING), latest.`lines`, latest.`rows`, latest.`rejects`, latest.`quarantined`, latest.`superseded`, 'overtaken', 'exchange_rates changed while this load was transformed', latest.`content_md5`, latest.`size_bytes`, latest.`landed_at`, CAST(NULL AS STRING)
  FROM (
    SELECT done.*, CURRENT_TIMESTAMP() AS marked_at
    FROM inventory_ops.load_stages AS done
    JOIN batch ON done.run_id = batch.next_run
    WHERE done.landed_on IN UNNEST(@days)
  ) AS latest;
END IF;

SELECT done.*, overtaken, (
    SELECT STRING_AGG(CONCAT(feed, ' ', CAST(landed_on AS STRING), ' ', load_id), ',')
    FROM (SELECT feed, landed_on, MIN(load_id) AS load_id FROM requeued GROUP BY feed, landed_on)
  ) AS requeued
FROM batch
JOIN inventory_ops.load_stages AS done ON done.run_id = batch.next_run
WHERE done.landed_on IN UNNEST(@days) AND done.state = 'transformed'
ORDER BY done.load_id;
