-- First and newest business date that any fact about stock or sales knows. The newest one is the horizon of
-- the KPIs: "today" is never the clock.
WITH spans AS (
  SELECT MIN(business_date) AS first_day, MAX(business_date) AS last_day FROM inventory_curated.stock_snapshots
  UNION ALL
  SELECT MIN(business_date) AS first_day, MAX(business_date) AS last_day FROM inventory_curated.sales
  UNION ALL
  SELECT MIN(business_date) AS first_day, MAX(business_date) AS last_day FROM inventory_curated.stock_movements
  UNION ALL
  SELECT MIN(business_date) AS first_day, MAX(business_date) AS last_day FROM inventory_curated.stock_counts
)
SELECT MIN(first_day) AS first_day, MAX(last_day) AS last_day FROM spans
