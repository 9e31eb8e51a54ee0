-- Turnover, GMROI, sell-through and days of supply by day, each as the two sums that it divides: a ratio of sums
-- is right at every level, a mean of ratios never. No ratio is given, so none can be averaged.
SELECT
  turnover.business_date,
  turnover.sku,
  product.name AS product_name,
  turnover.category,
  turnover.location_code,
  location.name AS location_name,
  location.city AS location_city,
  location.country AS location_country,
  turnover.numerator AS turnover_cogs_a_year,
  turnover.denominator AS turnover_average_value,
  gmroi.numerator AS gmroi_margin_a_year,
  gmroi.denominator AS gmroi_average_value,
  sold.numerator AS sell_through_sold,
  sold.denominator AS sell_through_available,
  supply.numerator AS supply_units,
  supply.denominator AS supply_daily_demand,
  turnover.reason_code,
  turnover.coverage_pct
FROM inventory_kpi.inventory_turnover AS turnover
LEFT JOIN inventory_kpi.gmroi AS gmroi
  ON gmroi.business_date = turnover.business_date
  AND gmroi.sku = turnover.sku
  AND gmroi.location_code = turnover.location_code
LEFT JOIN inventory_kpi.sell_through AS sold
  ON sold.business_date = turnover.business_date
  AND sold.sku = turnover.sku
  AND sold.location_code = turnover.location_code
LEFT JOIN inventory_kpi.days_of_supply AS supply
  ON supply.business_date = turnover.business_date
  AND supply.sku = turnover.sku
  AND supply.location_code = turnover.location_code
LEFT JOIN inventory_curated.products AS product ON product.sku = turnover.sku
LEFT JOIN inventory_curated.locations AS location ON location.location_code = turnover.location_code
