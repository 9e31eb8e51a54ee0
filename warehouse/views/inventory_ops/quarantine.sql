-- Refused rows, one per broken rule, as the latest run of each stage says.
SELECT refused.*
FROM inventory_ops.quarantine_rows AS refused
JOIN inventory_ops.load_stages_latest AS loads
  ON loads.landed_on = refused.landed_on AND loads.load_id = refused.load_id
  AND loads.stage = refused.stage AND loads.run_id = refused.run_id
WHERE refused.landed_on >= DATE '2000-01-01'
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY refused.landed_on, refused.load_id, refused.`row`, refused.stage, refused.rule, refused.column_name
  ORDER BY refused.recorded_at DESC
) = 1
