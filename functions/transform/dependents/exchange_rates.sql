-- Loads with money in a currency whose rate on their days is now another, or known at last.
WITH changed AS (
  SELECT currency, business_date
  FROM changes
  WHERE _content_changed
),
statements AS (
  SELECT _load_id AS load_id, stated_currency, business_date FROM inventory_curated.stock_snapshots_history
  UNION ALL
  SELECT _load_id, stated_currency, business_date FROM inventory_curated.stock_movements_history
  UNION ALL
  SELECT _load_id, stated_currency, business_date FROM inventory_curated.sales_history
  UNION ALL
  SELECT _load_id, stated_currency, business_date FROM inventory_curated.purchase_orders_history
  UNION ALL
  SELECT _load_id, stated_currency, DATE(_business_time) FROM inventory_curated.products_history
  UNION ALL
  SELECT load_id, value, SAFE_CAST(REGEXP_EXTRACT(expected, r'[0-9]{4}-[0-9]{2}-[0-9]{2}$') AS DATE)
  FROM inventory_ops.quarantine
  WHERE stage = 'transform' AND rule = 'unknown_exchange_rate'
)
SELECT DISTINCT statements.load_id
FROM statements
JOIN changed
  ON changed.currency = statements.stated_currency
  AND statements.business_date BETWEEN changed.business_date AND DATE_ADD(changed.business_date, INTERVAL 7 DAY)
