/*
title: Inventory record accuracy
description: >
  Share of the records counted in the last 90 days whose book quantity was exactly what was counted. A surplus and
  a shortage never offset each other. A recount replaces the count of the same day. A count without a book quantity is
  left out and lowers the coverage.
meaning: "{value} of counted records matched the book quantity exactly."
french:
  title: "Exactitude du stock théorique"
  description: >
    Part des comptages des 90 derniers jours dont la quantité théorique était exactement la quantité comptée. Un
    surplus et un manquant ne se compensent jamais. Un recomptage remplace le comptage du même jour. Un comptage
    sans quantité théorique est exclu et baisse la couverture.
  meaning: "{value} des comptages sont exactement égaux au stock théorique."
formula: counted records with counted quantity = book quantity / counted records with a book quantity, over 90 days
source: ECR Retail Loss (exact variant)
unit: share
grain: [location_code]
owner: inventory-analytics
lookback_days: 89
horizon: counts
direction: up
rollup: ratio
thresholds: {low: 0.65}
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
      inventory_curated.stock_counts:
        - {business_date: 2026-09-01, sku: A, location_code: P1, counted_quantity: 5, book_quantity: 5}
        - {business_date: 2026-09-30, sku: A, location_code: P1, counted_quantity: 7, book_quantity: 6, _business_time: 2026-09-30 09:00:00+00}
        - {business_date: 2026-09-30, sku: A, location_code: P1, counted_quantity: 6, book_quantity: 6, _business_time: 2026-09-30 08:00:00+00}
        - {business_date: 2026-09-30, sku: B, location_code: P1, counted_quantity: 0, book_quantity: 0}
        - {business_date: 2026-09-30, sku: C, location_code: P1, counted_quantity: 1}
        - {business_date: 2026-06-01, sku: A, location_code: P1, counted_quantity: 1, book_quantity: 9}
        - {business_date: 2026-09-30, sku: C, location_code: P2, counted_quantity: 1}
    expect:
      - {business_date: 2026-09-30, location_code: P1, numerator: 2, denominator: 3, value: 0.6666667, reason_code: null, coverage_pct: 75, counted_records: 4}
      - {business_date: 2026-09-30, location_code: P2, numerator: null, denominator: null, value: null, reason_code: no_book, coverage_pct: 0}
*/
WITH counts AS (
  SELECT business_date, sku, location_code, counted_quantity, book_quantity
  FROM inventory_curated.stock_counts
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY business_date, sku, location_code ORDER BY _business_time DESC, _generation DESC, _line DESC
  ) = 1
),
by_location AS (
  SELECT
    calendar.business_date,
    counts.location_code,
    COUNTIF(counts.counted_quantity = counts.book_quantity) AS accurate,
    NULLIF(COUNT(counts.book_quantity), 0) AS compared,
    COUNT(*) AS counted
  FROM inventory_kpi.calendar AS calendar
  JOIN counts
    ON counts.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, counts.location_code
)
SELECT
  business_date,
  location_code,
  CAST(IF(compared IS NULL, NULL, accurate) AS FLOAT64) AS numerator,
  CAST(compared AS FLOAT64) AS denominator,
  accurate / compared AS value,
  IF(compared IS NULL, 'no_book', NULL) AS reason_code,
  100 * COALESCE(compared, 0) / counted AS coverage_pct,
  counted AS counted_records
FROM by_location
