-- When each feed last brought rows, and what was refused so far: one row a feed, for the first page of a report.
SELECT
  feed,
  MAX(IF(end_state = 'loaded', landed_at, NULL)) AS last_file_at,
  COUNTIF(end_state = 'loaded') AS files_loaded,
  COUNTIF(end_state = 'rejected') AS files_rejected,
  COUNTIF(COALESCE(end_state, '') NOT IN ('loaded', 'rejected', 'duplicate_content', 'ignored')) AS files_waiting,
  SUM(IF(end_state = 'loaded', `rows`, 0)) AS rows_loaded,
  SUM(COALESCE(rejects, 0) + quarantined) AS rows_refused
FROM inventory_ops.loads
WHERE feed IS NOT NULL
GROUP BY feed
