-- Goods receipts and what took them back. A reversal cancels the newest earlier receipt of the same quantity of that
-- SKU at that location: the receipt then ends on the day of its reversal. A reversal of no such receipt (of a part, or
-- of one that is older than the data) stays as a layer of negative units. Transfers are not receipts.
WITH receipts AS (
  SELECT
    sku,
    location_code,
    business_date,
    document,
    line_number,
    quantity,
    SUM(SIGN(quantity)) OVER same_quantity AS open_receipts
  FROM inventory_curated.stock_movements
  WHERE movement_type = 'receipt' AND quantity != 0
  WINDOW same_quantity AS (
    PARTITION BY sku, location_code, ABS(quantity) ORDER BY business_date, quantity DESC, document, line_number
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),
-- receipts and reversals nest like brackets: at one depth they alternate, so each reversal follows its receipt
paired AS (
  SELECT
    receipts.*,
    LEAD(business_date) OVER one_depth AS next_date,
    LAG(business_date) OVER one_depth AS previous_date
  FROM receipts
  WINDOW one_depth AS (
    PARTITION BY sku, location_code, ABS(quantity), open_receipts + IF(quantity < 0, 1, 0)
    ORDER BY business_date, quantity DESC, document, line_number
  )
)
SELECT
  sku,
  location_code,
  business_date AS received_on,
  IF(quantity > 0, next_date, NULL) AS reversed_on,
  SUM(CAST(quantity AS FLOAT64)) AS units
FROM paired
WHERE quantity > 0 OR previous_date IS NULL
GROUP BY sku, location_code, received_on, reversed_on
