-- Lines that could not be read, as the latest ingest of each load says.
SELECT rejects.*
FROM inventory_ops.reject_rows AS rejects
JOIN inventory_ops.load_stages_latest AS loads
  ON loads.load_id = rejects.load_id AND loads.stage = 'ingest' AND loads.run_id = rejects.run_id
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY rejects.load_id, rejects.line, rejects.code ORDER BY rejects.recorded_at DESC) = 1
