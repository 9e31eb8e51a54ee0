-- The newest loaded load of the same feed with the same content, unless other content was loaded since, under its
-- name or under this object's: then the old content is stated again on purpose. Always one row; `others` counts the
-- other generations of this object that were seen.
WITH ingests AS (
  SELECT load_id, object, generation, content_md5, state
  FROM inventory_ops.load_stages_latest
  WHERE stage = 'ingest' AND feed = @feed AND bucket = @bucket
),
validations AS (
  SELECT load_id, state FROM inventory_ops.load_stages_latest WHERE stage = 'validate'
),
twin AS (
  SELECT ingests.load_id, ingests.object, ingests.generation
  FROM ingests
  LEFT JOIN validations ON validations.load_id = ingests.load_id
  WHERE ingests.state = 'loaded'
    AND ingests.content_md5 = @content_md5
    AND ingests.load_id != @load_id
    AND COALESCE(validations.state, '') != 'rejected'
  ORDER BY ingests.generation DESC
  LIMIT 1
),
standing AS (
  SELECT twin.load_id, twin.object
  FROM twin
  WHERE NOT EXISTS (
    SELECT 1
    FROM ingests
    WHERE ingests.state = 'loaded'
      AND ingests.content_md5 != @content_md5
      AND ingests.object IN (twin.object, @object)
      AND ingests.generation > twin.generation
  )
),
siblings AS (
  SELECT COUNTIF(object = @object AND load_id != @load_id) AS others FROM ingests
)
SELECT siblings.others, standing.load_id, standing.object
FROM siblings
LEFT JOIN standing ON TRUE
