-- Of what each feed delivered on the last twelve days with files, what was accepted. Counted as in the view
-- `inventory_reporting.data_quality`: files whose end is not known yet are left out.
WITH ended AS (
  SELECT *
  FROM inventory_ops.loads
  WHERE feed IS NOT NULL AND (end_state = 'rejected' OR (end_state = 'loaded' AND stage IN ('transform', 'kpi')))
)
SELECT
  feed,
  landed_on AS day,
  SUM(COALESCE(`lines`, 0)) AS rows_delivered,
  SUM(IF(end_state = 'loaded', COALESCE(`rows`, 0) - quarantined, 0)) AS rows_accepted,
  SUM(COALESCE(rejects, 0)) AS rows_unreadable,
  SUM(quarantined) AS rows_quarantined,
  COUNTIF(end_state = 'rejected') AS files_rejected
FROM ended
WHERE landed_on IN (SELECT DISTINCT landed_on FROM ended ORDER BY landed_on DESC LIMIT 12)
GROUP BY feed, day
ORDER BY day DESC, feed
