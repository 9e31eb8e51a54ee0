-- Stock as what changed each day: the sum from the first day up to any day is the stock at the end of that day
-- (in Looker Studio: a running sum). Stock itself must never be summed over dates; its changes may.
WITH stock AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    COALESCE(on_hand, 0) AS units,
    COALESCE(stock_value, 0) AS worth,
    LAG(COALESCE(on_hand, 0)) OVER by_day AS units_before,
    LAG(COALESCE(stock_value, 0)) OVER by_day AS worth_before,
    LEAD(business_date) OVER by_day AS next_day
  FROM inventory_kpi.stock_daily
  WINDOW by_day AS (PARTITION BY sku, location_code ORDER BY business_date)
),
changes AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    units - COALESCE(units_before, 0) AS units_change,
    worth - COALESCE(worth_before, 0) AS value_change
  FROM stock
  UNION ALL
  -- the day after the last one of a shelf that is not listed any more
  SELECT DATE_ADD(business_date, INTERVAL 1 DAY), sku, location_code, category, -units, -worth
  FROM stock
  WHERE next_day IS NULL AND business_date < (SELECT MAX(business_date) FROM inventory_kpi.stock_daily)
)
SELECT
  changes.business_date,
  changes.sku,
  product.name AS product_name,
  changes.category,
  changes.location_code,
  location.name AS location_name,
  changes.units_change,
  changes.value_change
FROM changes
LEFT JOIN inventory_curated.products AS product ON product.sku = changes.sku
LEFT JOIN inventory_curated.locations AS location ON location.location_code = changes.location_code
