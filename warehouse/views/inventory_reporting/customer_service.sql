-- Customer fill rate = SUM(served_units) / SUM(due_units), over SKUs and locations; by lines SUM(full_lines) / SUM(due_lines).
-- A day looks back 28 days, so filter one day; the newest one is flagged.
SELECT
  rate.business_date,
  rate.sku,
  product.name AS product_name,
  rate.category,
  rate.location_code,
  location.name AS location_name,
  location.city AS location_city,
  location.country AS location_country,
  rate.numerator AS served_units,
  rate.denominator AS due_units,
  rate.full_lines,
  rate.due_lines,
  rate.reason_code,
  rate.coverage_pct,
  rate.business_date = newest.business_date AS is_newest
FROM inventory_kpi.customer_fill_rate AS rate
LEFT JOIN inventory_curated.products AS product ON product.sku = rate.sku
LEFT JOIN inventory_curated.locations AS location ON location.location_code = rate.location_code
CROSS JOIN (SELECT MAX(business_date) AS business_date FROM inventory_kpi.customer_fill_rate) AS newest
