-- The loads that need somebody, the newest first, and how many there are.
SELECT load_id, feed, object, stage, state, end_state, reason_code, message, landed_at, COUNT(*) OVER () AS loads
FROM inventory_ops.loads
WHERE end_state IN ('held', 'failed', 'rejected') OR state = 'retrying'
ORDER BY landed_at DESC, load_id
LIMIT 50
