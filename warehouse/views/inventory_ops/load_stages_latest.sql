-- The latest record of each load and stage. A filter on landed_on reads only the partitions of those days.
SELECT *
FROM inventory_ops.load_stages
WHERE landed_on >= DATE '2000-01-01'
QUALIFY ROW_NUMBER() OVER (PARTITION BY landed_on, load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
