-- Readable rows that broke a critical rule, the newest first.
SELECT q.feed, l.object, q.line, q.column_name, q.value, q.rule, q.expected, q.message, q.stage
FROM inventory_ops.quarantine AS q
LEFT JOIN inventory_ops.loads AS l ON l.load_id = q.load_id
ORDER BY q.recorded_at DESC, q.line
LIMIT 300
