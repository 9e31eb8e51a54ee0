-- Duplicates that this load, arriving late, turns into restatements: they landed after it, and stand for content
-- that it replaces under their name or under their twin's.
SELECT DISTINCT later.object, later.generation, later.content_md5, later.size_bytes, later.landed_at
FROM inventory_ops.load_stages_latest AS later
JOIN inventory_ops.load_stages_latest AS twin
  ON twin.load_id = JSON_VALUE(later.detail, '$.duplicate_of') AND twin.stage = 'ingest'
WHERE later.stage = 'ingest'
  AND later.state = 'duplicate_content'
  AND later.feed = @feed
  AND later.bucket = @bucket
  AND later.content_md5 != @content_md5
  AND later.generation > @generation
  AND twin.generation < @generation
  AND @object IN (later.object, twin.object)
