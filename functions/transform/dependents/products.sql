-- Loads with a quantity in units of a product whose units are now others on that day, or known at last.
WITH facts AS (
  SELECT _load_id AS load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_snapshots_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_movements_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.sales_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.purchase_orders_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_counts_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.customer_orders_history
)
SELECT facts.load_id
FROM facts
JOIN repacked ON repacked.sku = facts.sku AND facts.business_date BETWEEN repacked.first_day AND repacked.last_day
WHERE facts.unit IS DISTINCT FROM COALESCE(repacked.base_unit, 'EA')
  OR facts.stated_unit != facts.unit
UNION DISTINCT
SELECT refused.load_id
FROM inventory_ops.quarantine AS refused
JOIN repacked ON repacked.sku = inventory_curated.to_code(JSON_VALUE(refused.original_row, '$.sku'))
WHERE refused.stage = 'transform' AND refused.rule = 'unknown_unit_factor'
