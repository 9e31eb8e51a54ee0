-- Stock by age on the newest day: one row for each SKU and age bucket. What is older than the oldest known receipt
-- has an unknown age, not a low one.
SELECT
  ageing.business_date AS as_of,
  ageing.sku,
  product.name AS product_name,
  ageing.category,
  bucket.position,
  bucket.age,
  CASE bucket.position
    WHEN 1 THEN ageing.units_0_30
    WHEN 2 THEN ageing.units_31_60
    WHEN 3 THEN ageing.units_61_90
    WHEN 4 THEN ageing.units_91_180
    WHEN 5 THEN ageing.units_181_plus
    ELSE ageing.units_unknown
  END AS units
FROM inventory_kpi.inventory_ageing AS ageing
CROSS JOIN (
  SELECT 1 AS position, '0-30' AS age UNION ALL
  SELECT 2, '31-60' UNION ALL
  SELECT 3, '61-90' UNION ALL
  SELECT 4, '91-180' UNION ALL
  SELECT 5, '181+' UNION ALL
  SELECT 6, 'unknown'
) AS bucket
LEFT JOIN inventory_curated.products AS product ON product.sku = ageing.sku
WHERE ageing.business_date = (SELECT MAX(business_date) FROM inventory_kpi.inventory_ageing)
