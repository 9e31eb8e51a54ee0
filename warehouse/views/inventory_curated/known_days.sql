-- How far the facts are known, one row for each horizon that a KPI can have. The newest day is "today" for the KPIs
-- of that horizon, never the clock: a sale dated far ahead does not make the stock of every location too old.
--   all: every fact about stock and sales, customers' orders included
--   stock: balances, and the movements and sales of at most 7 days after the newest balance
--          (carryForwardDays in the contract of stock_snapshots)
--   sales, counts, orders, customer_orders: those facts alone; an order counts by its date and its receipt or shipment
WITH spans AS (
  SELECT 'stock' AS feed, MIN(business_date) AS first_day, MAX(business_date) AS last_day
  FROM inventory_curated.stock_snapshots
  UNION ALL
  SELECT 'sales' AS feed, MIN(business_date) AS first_day, MAX(business_date) AS last_day
  FROM inventory_curated.sales
  UNION ALL
  SELECT 'movements' AS feed, MIN(business_date) AS first_day, MAX(business_date) AS last_day
  FROM inventory_curated.stock_movements
  UNION ALL
  SELECT 'counts' AS feed, MIN(business_date) AS first_day, MAX(business_date) AS last_day
  FROM inventory_curated.stock_counts
  UNION ALL
  SELECT 'customer_orders' AS feed, MIN(business_date), MAX(GREATEST(business_date, COALESCE(shipped_date, business_date)))
  FROM inventory_curated.customer_orders
),
whole AS (
  SELECT MIN(first_day) AS first_day, MAX(last_day) AS last_day FROM spans
),
ends AS (
  SELECT 'all' AS horizon, last_day FROM whole
  UNION ALL
  SELECT feed, last_day FROM spans WHERE feed IN ('sales', 'counts', 'customer_orders')
  UNION ALL
  SELECT 'orders', MAX(GREATEST(business_date, COALESCE(received_date, business_date)))
  FROM inventory_curated.purchase_orders
  UNION ALL
  SELECT 'stock', MAX(fact.business_date)
  FROM (
    SELECT business_date FROM inventory_curated.stock_snapshots
    UNION ALL
    SELECT business_date FROM inventory_curated.stock_movements
    UNION ALL
    SELECT business_date FROM inventory_curated.sales
  ) AS fact
  CROSS JOIN (SELECT last_day FROM spans WHERE feed = 'stock') AS balance
  WHERE fact.business_date <= DATE_ADD(balance.last_day, INTERVAL 7 DAY)
)
SELECT
  ends.horizon,
  whole.first_day,
  LEAST(COALESCE(ends.last_day, whole.last_day), whole.last_day) AS last_day
FROM ends
CROSS JOIN whole
