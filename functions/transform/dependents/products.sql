-- Loads with a quantity in units of a product whose units are now others on its day, or known at last. A statement changes
-- the days from its own date to the next one's; the first one of a product, or the first with a pack, all days before, too.
WITH units AS (
  SELECT
    sku,
    DATE(updated_at) AS stated_on,
    updated_at,
    _load_id IN UNNEST(@loads) AS is_new,
    pack_unit,
    CONCAT(base_unit, '|', COALESCE(pack_unit, ''), '|', COALESCE(CAST(units_per_pack AS STRING), '')) AS units
  FROM statements
),
beside AS (
  SELECT
    sku,
    stated_on,
    is_new,
    units,
    LAST_VALUE(IF(is_new, NULL, units) IGNORE NULLS) OVER earlier AS units_before,
    LAST_VALUE(IF(is_new, NULL, pack_unit) IGNORE NULLS) OVER earlier AS pack_before,
    FIRST_VALUE(IF(is_new, NULL, units) IGNORE NULLS) OVER later AS units_after,
    LEAD(stated_on) OVER by_sku AS next_on
  FROM units
  WINDOW
    by_sku AS (PARTITION BY sku ORDER BY updated_at, is_new, units),
    earlier AS (PARTITION BY sku ORDER BY updated_at, is_new, units ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
    later AS (PARTITION BY sku ORDER BY updated_at, is_new, units ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
changed AS (
  SELECT
    sku,
    IF(units_before IS NULL OR pack_before IS NULL OR stated_on IS NULL, DATE '0001-01-01', stated_on) AS first_day,
    IF(stated_on IS NULL OR next_on IS NULL OR next_on <= stated_on, DATE '9999-12-31', DATE_SUB(next_on, INTERVAL 1 DAY)) AS last_day
  FROM beside
  WHERE is_new AND units IS DISTINCT FROM COALESCE(units_before, units_after)
  UNION ALL
  -- the base unit is the newest statement's on all days; what these loads themselves stated before is not known any more
  SELECT sku, DATE '0001-01-01', DATE '9999-12-31'
  FROM changes
  WHERE base_unit IS DISTINCT FROM _was_base_unit OR _was_load_id IN UNNEST(@loads)
  UNION ALL
  -- a statement that is withdrawn, or replaced by a file that does not repeat it
  SELECT sku, DATE '0001-01-01', DATE '9999-12-31'
  FROM touched
  WHERE sku NOT IN (SELECT sku FROM typed WHERE _issue IS NULL)
),
facts AS (
  SELECT _load_id AS load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_snapshots_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_movements_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.sales_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.purchase_orders_history
  UNION ALL
  SELECT _load_id, sku, business_date, unit, stated_unit FROM inventory_curated.stock_counts_history
)
SELECT facts.load_id
FROM facts
JOIN changed ON changed.sku = facts.sku AND facts.business_date BETWEEN changed.first_day AND changed.last_day
LEFT JOIN inventory_curated.products AS product ON product.sku = facts.sku
WHERE facts.unit IS DISTINCT FROM COALESCE(product.base_unit, 'EA')
  OR facts.stated_unit != facts.unit
UNION DISTINCT
SELECT refused.load_id
FROM inventory_ops.quarantine AS refused
JOIN changed ON changed.sku = inventory_curated.to_code(JSON_VALUE(refused.original_row, '$.sku'))
WHERE refused.stage = 'transform' AND refused.rule = 'unknown_unit_factor'
