-- Lines that could not be read, as the latest ingest of each load says.
SELECT rejects.*
FROM inventory_ops.reject_rows AS rejects
JOIN inventory_ops.load_stages_latest AS loads
  ON loads.landed_on = rejects.landed_on AND loads.load_id = rejects.load_id
  AND loads.stage = 'ingest' AND loads.run_id = rejects.run_id
WHERE rejects.landed_on >= DATE '2000-01-01'
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY rejects.landed_on, rejects.load_id, rejects.number ORDER BY rejects.recorded_at DESC
) = 1
