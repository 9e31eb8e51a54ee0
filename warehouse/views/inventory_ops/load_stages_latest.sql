-- The latest record of each load and stage.
SELECT *
FROM inventory_ops.load_stages
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id, stage ORDER BY finished_at DESC, record_id DESC) = 1
