/*
title: Shrinkage
description: >
  What counts of the last 90 days found missing, at cost, against the net sales of the location in the same days.
  What they found too many is taken off, and stands apart in surplus. A record without book quantity or cost is
  left out and lowers the coverage.
meaning: So much of the net sales was lost on the way, as the counts say.
formula: sum of (book - counted quantity) x unit cost over the counts of 90 days / net sales of the 90 days
source: retail loss texts (cost over retail)
unit: share
grain: [location_code]
owner: inventory-analytics
lookback_days: 89
direction: down
rollup: ratio
thresholds: {high: 0.02}
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
      inventory_curated.products:
        - {sku: A, unit_cost: 2}
        - {sku: B, unit_cost: 10}
        - {sku: C}
      inventory_curated.stock_counts:
        - {business_date: 2026-09-30, sku: A, location_code: P1, counted_quantity: 5, book_quantity: 10}
        - {business_date: 2026-09-30, sku: B, location_code: P1, counted_quantity: 3, book_quantity: 2.5}
        - {business_date: 2026-09-30, sku: C, location_code: P1, counted_quantity: 3, book_quantity: 9}
        - {business_date: 2026-09-30, sku: A, location_code: P2, counted_quantity: 1, book_quantity: 2}
      inventory_curated.sales:
        - {business_date: 2026-09-01, sku: A, location_code: P1, quantity: 1, net_amount: 100}
        - {business_date: 2026-06-01, sku: A, location_code: P1, quantity: 1, net_amount: 900}
    expect:
      - {business_date: 2026-09-30, location_code: P1, numerator: 5, denominator: 100, value: 0.05, reason_code: null, surplus: 5, coverage_pct: 66.6666667}
      - {business_date: 2026-09-30, location_code: P2, numerator: 2, denominator: 0, value: null, reason_code: no_demand, coverage_pct: 100}
*/
WITH missing AS (
  SELECT
    calendar.business_date,
    count.location_code,
    COALESCE(SUM(CAST((count.book_quantity - count.counted_quantity) * product.unit_cost AS FLOAT64)), 0.0) AS lost,
    COALESCE(
      SUM(CAST(GREATEST(count.counted_quantity - count.book_quantity, 0) * product.unit_cost AS FLOAT64)), 0.0
    ) AS surplus,
    COUNT(count.book_quantity * product.unit_cost) AS judged,
    COUNT(*) AS counted
  FROM inventory_kpi.calendar AS calendar
  JOIN inventory_curated.stock_counts AS count
    ON count.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
  LEFT JOIN inventory_curated.products AS product ON product.sku = count.sku
  GROUP BY calendar.business_date, count.location_code
),
sold_by_day AS (
  SELECT business_date, location_code, SUM(CAST(net_amount AS FLOAT64)) AS net_sales
  FROM inventory_curated.sales
  GROUP BY business_date, location_code
),
sold AS (
  SELECT calendar.business_date, sold_by_day.location_code, SUM(sold_by_day.net_sales) AS net_sales
  FROM inventory_kpi.calendar AS calendar
  JOIN sold_by_day
    ON sold_by_day.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, sold_by_day.location_code
)
SELECT
  missing.business_date,
  missing.location_code,
  IF(missing.judged = 0, NULL, missing.lost) AS numerator,
  COALESCE(sold.net_sales, 0.0) AS denominator,
  IF(missing.judged > 0 AND sold.net_sales > 0, missing.lost / sold.net_sales, NULL) AS value,
  CASE
    WHEN missing.judged = 0 THEN 'no_cost'
    WHEN COALESCE(sold.net_sales, 0.0) <= 0 THEN 'no_demand'
  END AS reason_code,
  100.0 * missing.judged / missing.counted AS coverage_pct,
  missing.surplus
FROM missing
LEFT JOIN sold ON sold.business_date = missing.business_date AND sold.location_code = missing.location_code
