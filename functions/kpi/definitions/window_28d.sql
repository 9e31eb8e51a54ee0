/*
kind: base
title: Trailing 28 days
description: >
  For each SKU, location and day what the last 28 days up to that day hold: days on the shelf list, days with
  a balance that is not stale, sales, cost, average stock. The KPIs of a period divide these.
formula: average stock value = sum of the daily values / days with a value
grain: [sku, location_code]
owner: inventory-data
lookback_days: 28
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  supplier_code,
  on_hand,
  available,
  stock_value,
  is_stale,
  unit_cost,
  COUNT(*) OVER trailing AS listed_days,
  COUNT(on_hand) OVER trailing AS observed_days,
  COUNT(stock_value) OVER trailing AS valued_days,
  SUM(units_sold) OVER trailing AS units_sold,
  SUM(net_sales) OVER trailing AS net_sales,
  SUM(cogs) OVER trailing AS cogs,
  SUM(stock_value) OVER trailing / NULLIF(COUNT(stock_value) OVER trailing, 0) AS average_value
FROM inventory_kpi.stock_daily
WINDOW trailing AS (
  PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)
  RANGE BETWEEN 27 PRECEDING AND CURRENT ROW
)
