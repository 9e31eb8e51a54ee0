-- ABC classes on the newest day, by rank: what each SKU sold at cost in a year, and its share of all.
SELECT
  class.business_date AS as_of,
  class.sku,
  product.name AS product_name,
  class.category,
  class.abc_class,
  class.rank_of_sku,
  class.numerator AS consumption,
  class.value AS share,
  class.reason_code
FROM inventory_kpi.abc_class AS class
LEFT JOIN inventory_curated.products AS product ON product.sku = class.sku
WHERE class.business_date = (SELECT MAX(business_date) FROM inventory_kpi.abc_class)
