-- Every load, the newest first.
SELECT load_id, feed, object, stage, state, end_state, lines, `rows`, rejects, quarantined,
  seconds, landed_at, reason_code, message, unused_columns, absent_measures
FROM inventory_ops.loads
ORDER BY landed_at DESC
LIMIT 300
