/*
title: Inventory ageing
description: >
  Mean age of the stock, first in first out: what lies there are the newest receipts that add up to it. Only
  goods receipts count, so a transfer between locations keeps the receipt's date; therefore the grain is the
  SKU over all locations. What is older than the oldest known receipt has an unknown age, not zero.
meaning: A unit lies in stock for so many days on average.
formula: sum(units x days since receipt) / sum(units), over the FIFO layers whose receipt is known
source: ERPNext FIFO queue
unit: days
grain: [sku]
owner: inventory-analytics
lookback_days: 3650
direction: down
rollup: ratio
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-30, sku: A, location_code: P1, category: tools, on_hand: 12}
        - {business_date: 2026-09-30, sku: A, location_code: P2, category: tools, on_hand: 3}
        - {business_date: 2026-09-30, sku: B, location_code: P1, category: tools, on_hand: 0}
      inventory_curated.stock_movements:
        - {document: "1", line_number: 1, business_date: 2026-09-20, movement_type: receipt, sku: A, quantity: 10}
        - {document: "2", line_number: 1, business_date: 2026-08-01, movement_type: receipt, sku: A, quantity: 3}
    expect:
      - {business_date: 2026-09-30, sku: A, numerator: 280, denominator: 13, units_0_30: 10, units_31_60: 3, units_unknown: 2, coverage_pct: 86.666667}
      - {business_date: 2026-09-30, sku: B, value: null, reason_code: no_stock}
*/
WITH stock AS (
  SELECT business_date, sku, MAX(category) AS category, GREATEST(SUM(on_hand), 0) AS units
  FROM inventory_kpi.stock_daily
  WHERE on_hand IS NOT NULL
  GROUP BY business_date, sku
),
receipts AS (
  SELECT business_date AS received_on, sku, SUM(CAST(quantity AS FLOAT64)) AS units
  FROM inventory_curated.stock_movements
  WHERE movement_type = 'receipt'
  GROUP BY received_on, sku
),
layers AS (
  SELECT
    stock.business_date,
    stock.sku,
    DATE_DIFF(stock.business_date, receipts.received_on, DAY) AS age,
    GREATEST(
      0,
      LEAST(
        receipts.units,
        stock.units - (
          SUM(receipts.units) OVER (
            PARTITION BY stock.business_date, stock.sku ORDER BY receipts.received_on DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) - receipts.units
        )
      )
    ) AS units
  FROM stock
  JOIN receipts ON receipts.sku = stock.sku AND receipts.received_on <= stock.business_date
),
aged AS (
  SELECT
    business_date,
    sku,
    SUM(units) AS known,
    SUM(units * age) AS unit_days,
    SUM(IF(age <= 30, units, 0)) AS units_0_30,
    SUM(IF(age BETWEEN 31 AND 60, units, 0)) AS units_31_60,
    SUM(IF(age BETWEEN 61 AND 90, units, 0)) AS units_61_90,
    SUM(IF(age BETWEEN 91 AND 180, units, 0)) AS units_91_180,
    SUM(IF(age > 180, units, 0)) AS units_181_plus
  FROM layers
  GROUP BY business_date, sku
)
SELECT
  stock.business_date,
  stock.sku,
  stock.category,
  aged.unit_days AS numerator,
  aged.known AS denominator,
  aged.unit_days / NULLIF(aged.known, 0) AS value,
  CASE WHEN stock.units = 0 THEN 'no_stock' WHEN COALESCE(aged.known, 0) = 0 THEN 'missing_days' END AS reason_code,
  IF(stock.units = 0, 100.0, 100 * COALESCE(aged.known, 0) / stock.units) AS coverage_pct,
  COALESCE(aged.units_0_30, 0) AS units_0_30,
  COALESCE(aged.units_31_60, 0) AS units_31_60,
  COALESCE(aged.units_61_90, 0) AS units_61_90,
  COALESCE(aged.units_91_180, 0) AS units_91_180,
  COALESCE(aged.units_181_plus, 0) AS units_181_plus,
  stock.units - COALESCE(aged.known, 0) AS units_unknown
FROM stock
LEFT JOIN aged ON aged.business_date = stock.business_date AND aged.sku = stock.sku
