-- Of what each feed delivered, the share that was accepted: one row for each feed and day on which files landed. Files
-- whose end is not known yet (held, failed, on their way) are not counted; of a rejected file no row is accepted.
SELECT
  landed_on,
  feed,
  COUNTIF(end_state = 'loaded') AS files_loaded,
  COUNTIF(end_state = 'rejected') AS files_rejected,
  SUM(COALESCE(`lines`, 0)) AS rows_delivered,
  SUM(IF(end_state = 'loaded', COALESCE(`rows`, 0) - quarantined, 0)) AS rows_accepted,
  SUM(COALESCE(rejects, 0)) AS rows_unreadable,
  SUM(quarantined) AS rows_quarantined,
  SAFE_DIVIDE(
    SUM(IF(end_state = 'loaded', COALESCE(`rows`, 0) - quarantined, 0)), SUM(COALESCE(`lines`, 0))
  ) AS accepted_share
FROM inventory_ops.loads
WHERE feed IS NOT NULL AND (end_state = 'rejected' OR (end_state = 'loaded' AND stage IN ('transform', 'kpi')))
GROUP BY landed_on, feed
