-- The lines that validation refused, once each.
SELECT DISTINCT load_id, line
FROM inventory_ops.quarantine
WHERE stage = 'validate'
