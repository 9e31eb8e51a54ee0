-- Loads with a quantity in units of a product whose units are now others, or known at last.
WITH changed AS (
  SELECT sku, base_unit
  FROM changes
  WHERE base_unit IS DISTINCT FROM _was_base_unit
    OR pack_unit IS DISTINCT FROM _was_pack_unit
    OR units_per_pack IS DISTINCT FROM _was_units_per_pack
),
statements AS (
  SELECT _load_id AS load_id, sku, unit, stated_unit FROM inventory_curated.stock_snapshots_history
  UNION ALL
  SELECT _load_id, sku, unit, stated_unit FROM inventory_curated.stock_movements_history
  UNION ALL
  SELECT _load_id, sku, unit, stated_unit FROM inventory_curated.sales_history
  UNION ALL
  SELECT _load_id, sku, unit, stated_unit FROM inventory_curated.purchase_orders_history
  UNION ALL
  SELECT _load_id, sku, unit, stated_unit FROM inventory_curated.stock_counts_history
)
SELECT statements.load_id
FROM statements
JOIN changed ON changed.sku = statements.sku
WHERE statements.unit IS DISTINCT FROM COALESCE(changed.base_unit, 'EA')
  OR statements.stated_unit != statements.unit
UNION DISTINCT
SELECT refused.load_id
FROM inventory_ops.quarantine AS refused
JOIN changed ON changed.sku = inventory_curated.to_code(JSON_VALUE(refused.original_row, '$.sku'))
WHERE refused.stage = 'transform' AND refused.rule = 'unknown_unit_factor'
