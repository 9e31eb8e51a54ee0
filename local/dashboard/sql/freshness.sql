-- When each feed last brought rows.
SELECT feed, MAX(landed_at) AS landed_at, COUNT(*) AS loads, SUM(`rows`) AS `rows`
FROM inventory_ops.loads
WHERE end_state = 'loaded'
GROUP BY feed
