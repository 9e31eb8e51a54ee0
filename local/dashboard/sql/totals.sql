-- How many loads ended how, and their lines.
SELECT
  COALESCE(end_state, state) AS ended,
  COUNT(*) AS loads,
  COUNTIF(state IN ('loaded', 'validated', 'transformed')) AS waiting,
  SUM(`lines`) AS `lines`,
  SUM(`rows`) AS `rows`,
  SUM(rejects) AS rejects,
  SUM(quarantined) AS quarantined
FROM inventory_ops.loads
GROUP BY ended
