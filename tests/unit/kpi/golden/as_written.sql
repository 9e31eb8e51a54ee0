-- a comment with inventory_curated.sales stays as it is
WITH sold AS (
  SELECT business_date, sku, quantity FROM inventory_curated.sales WHERE quantity > 0
),
again AS (
  SELECT s.sku FROM `inventory_curated.sales` AS s
)
SELECT day.business_date, p.sku, 'FROM inventory_curated.sales' AS text
FROM inventory_kpi.stock_daily AS day
JOIN `inventory_curated`.products AS p ON p.sku = day.sku
JOIN sold ON sold.sku = p.sku
