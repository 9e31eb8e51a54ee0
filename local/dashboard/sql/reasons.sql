-- Why rows were refused, by feed and rule.
SELECT feed, rule AS reason, column_name, COUNT(*) AS refused, 'quarantine' AS kind
FROM inventory_ops.quarantine
GROUP BY feed, rule, column_name
UNION ALL
SELECT feed, code, NULL, COUNT(*), 'rejects'
FROM inventory_ops.rejects
GROUP BY feed, code
ORDER BY refused DESC, feed, reason
