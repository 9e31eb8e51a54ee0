/*
title: Inventory record accuracy
description: >
  Share of the records counted in the last 90 days whose book quantity was exactly what was counted. A surplus and
  a shortage never offset each other. A count without a book quantity is left out and lowers the coverage.
meaning: So many of a hundred records said exactly what lay there.
formula: counted records with counted quantity = book quantity / counted records with a book quantity, over 90 days
source: ECR Retail Loss (exact variant)
unit: share
grain: [location_code]
owner: inventory-analytics
lookback_days: 89
direction: up
rollup: ratio
thresholds: {low: 0.65}
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
      inventory_curated.stock_counts:
        - {business_date: 2026-09-01, sku: A, location_code: P1, counted_quantity: 5, book_quantity: 5}
        - {business_date: 2026-09-30, sku: A, location_code: P1, counted_quantity: 7, book_quantity: 6}
        - {business_date: 2026-09-30, sku: B, location_code: P1, counted_quantity: 0, book_quantity: 0}
        - {business_date: 2026-09-30, sku: C, location_code: P1, counted_quantity: 1}
        - {business_date: 2026-06-01, sku: A, location_code: P1, counted_quantity: 1, book_quantity: 9}
        - {business_date: 2026-09-30, sku: C, location_code: P2, counted_quantity: 1}
    expect:
      - {business_date: 2026-09-30, location_code: P1, numerator: 2, denominator: 3, value: 0.6666667, reason_code: null, coverage_pct: 75, counted_records: 4}
      - {business_date: 2026-09-30, location_code: P2, numerator: 0, denominator: 0, value: null, reason_code: no_book, coverage_pct: 0}
*/
SELECT
  calendar.business_date,
  count.location_code,
  CAST(COUNTIF(count.counted_quantity = count.book_quantity) AS FLOAT64) AS numerator,
  CAST(COUNT(count.book_quantity) AS FLOAT64) AS denominator,
  CAST(COUNTIF(count.counted_quantity = count.book_quantity) AS FLOAT64) / NULLIF(COUNT(count.book_quantity), 0) AS value,
  IF(COUNT(count.book_quantity) = 0, 'no_book', NULL) AS reason_code,
  100.0 * COUNT(count.book_quantity) / COUNT(*) AS coverage_pct,
  COUNT(*) AS counted_records
FROM inventory_kpi.calendar AS calendar
JOIN inventory_curated.stock_counts AS count
  ON count.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
GROUP BY calendar.business_date, count.location_code
