-- What ingest says of the feed's other objects that landed about as early as this one, newest first.
SELECT
  ingested.load_id,
  ingested.object,
  ingested.generation,
  ingested.state,
  ingested.content_md5,
  JSON_VALUE(ingested.detail, '$.duplicate_of') AS duplicate_of,
  COALESCE(validated.state = 'rejected', FALSE) AS refused
FROM (
  SELECT load_id, object, generation, state, content_md5, detail
  FROM inventory_ops.load_stages
  WHERE landed_on BETWEEN @first_day AND @last_day
    AND feed = @feed AND bucket = @bucket AND stage = 'ingest'
    AND load_id != @load_id
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
) AS ingested
LEFT JOIN (
  SELECT load_id, state
  FROM inventory_ops.load_stages
  WHERE landed_on BETWEEN @first_day AND @last_day AND feed = @feed AND stage = 'validate'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
) AS validated ON validated.load_id = ingested.load_id
ORDER BY ingested.generation DESC
LIMIT 1000
