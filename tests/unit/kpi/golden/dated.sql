-- a comment with inventory_curated.sales stays as it is
WITH sold AS (
  SELECT business_date, sku, quantity FROM (SELECT * FROM inventory_curated.sales WHERE business_date BETWEEN DATE_SUB(@from_date, INTERVAL 28 DAY) AND @to_date) AS sales WHERE quantity > 0
),
again AS (
  SELECT s.sku FROM (SELECT * FROM `inventory_curated.sales` WHERE business_date BETWEEN DATE_SUB(@from_date, INTERVAL 28 DAY) AND @to_date) AS s
)
SELECT day.business_date, p.sku, 'FROM inventory_curated.sales' AS text
FROM (SELECT * FROM inventory_kpi.stock_daily WHERE business_date BETWEEN DATE_SUB(@from_date, INTERVAL 28 DAY) AND @to_date) AS day
JOIN `inventory_curated`.products AS p ON p.sku = day.sku
JOIN sold ON sold.sku = p.sku
