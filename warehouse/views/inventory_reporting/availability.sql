-- Stockout rate = SUM(out_of_stock_days) / SUM(observed_days), over any dates, SKUs and locations.
SELECT
  rate.business_date,
  rate.sku,
  product.name AS product_name,
  rate.category,
  rate.location_code,
  location.name AS location_name,
  location.city AS location_city,
  location.country AS location_country,
  rate.numerator AS out_of_stock_days,
  rate.denominator AS observed_days,
  rate.reason_code,
  rate.coverage_pct
FROM inventory_kpi.stockout_rate AS rate
LEFT JOIN inventory_curated.products AS product ON product.sku = rate.sku
LEFT JOIN inventory_curated.locations AS location ON location.location_code = rate.location_code
