-- Up to which day each KPI is known, and which version of its definition computed it: its last run.
SELECT
  kpi,
  last_day,
  finished_at AS computed_at,
  definition_version,
  state,
  message
FROM inventory_ops.kpi_runs
QUALIFY ROW_NUMBER() OVER (PARTITION BY kpi ORDER BY finished_at DESC, run_id DESC) = 1
