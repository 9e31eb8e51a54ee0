-- What the figures were made of: they are the same until a KPI is computed or a load is recorded.
SELECT
  (SELECT MAX(finished_at) FROM inventory_ops.kpi_runs WHERE finished_at >= TIMESTAMP '2000-01-01') AS computed_at,
  (SELECT MAX(finished_at) FROM inventory_ops.load_stages WHERE landed_on >= DATE '2000-01-01') AS landed_at
