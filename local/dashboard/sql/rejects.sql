-- Lines that could not be read, the newest first.
SELECT r.feed, l.object, r.line, r.code, r.message, r.found, r.expected, r.original_text
FROM inventory_ops.rejects AS r
LEFT JOIN inventory_ops.loads AS l ON l.load_id = r.load_id
ORDER BY r.recorded_at DESC, r.line
LIMIT 300
