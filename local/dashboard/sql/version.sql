-- What the figures were made of: they are the same until a KPI is computed or a load is recorded.
SELECT
  MAX(finished_at) AS computed_at,
  COUNT(DISTINCT CONCAT(kpi, ' ', definition_version)) AS definitions,
  (SELECT MAX(finished_at) FROM inventory_ops.load_stages WHERE landed_on >= DATE '2000-01-01') AS landed_at
FROM inventory_ops.kpi_runs
WHERE finished_at >= TIMESTAMP '2000-01-01'
