-- What each expectation found, as the latest validation of each load says.
SELECT results.*
FROM inventory_ops.expectation_results AS results
JOIN inventory_ops.load_stages_latest AS loads
  ON loads.landed_on = results.landed_on AND loads.load_id = results.load_id
  AND loads.stage = 'validate' AND loads.run_id = results.run_id
WHERE results.landed_on >= DATE '2000-01-01'
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY results.landed_on, results.load_id, results.rule ORDER BY results.recorded_at DESC
) = 1
