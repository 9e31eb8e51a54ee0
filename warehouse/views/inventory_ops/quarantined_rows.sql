-- The rows that validation refused, once each.
SELECT DISTINCT landed_on, load_id, `row`
FROM inventory_ops.quarantine
WHERE stage = 'validate'
