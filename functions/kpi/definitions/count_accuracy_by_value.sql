/*
title: Count accuracy by value
description: >
  Share of the value at cost on which stock records and counts of the last 90 days agree. Surpluses and shortages never
  offset each other; it is below zero where the differences exceed the recorded value. A recount replaces the count of
  the same day. A count without a book quantity or a cost is left out and lowers the coverage.
meaning: "Stock records and counts agree on {value} of the counted value."
french:
  title: "Exactitude des comptages en valeur"
  description: >
    Part de la valeur au coût sur laquelle le stock théorique et les comptages des 90 derniers jours concordent.
    Surplus et manquants ne se compensent jamais ; le taux est négatif quand les écarts dépassent la valeur
    enregistrée. Un recomptage remplace le comptage du même jour. Un comptage sans quantité théorique ou sans coût
    est exclu et baisse la couverture.
  meaning: "Stock théorique et comptages concordent sur {value} de la valeur comptée."
formula: 1 - sum of |counted - book| x unit cost / sum of max(book, 0) x unit cost, over 90 days
source: ECR Retail Loss (value variant)
unit: share
grain: [location_code]
owner: inventory-analytics
lookback_days: 89
horizon: counts
direction: up
rollup: ratio
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
      inventory_curated.products:
        - {sku: A, unit_cost: 2}
        - {sku: B, unit_cost: 10}
      inventory_curated.stock_counts:
        - {business_date: 2026-09-01, sku: A, location_code: P1, counted_quantity: 4, book_quantity: 5}
        - {business_date: 2026-09-30, sku: A, location_code: P1, counted_quantity: 9, book_quantity: 5, _business_time: 2026-09-30 08:00:00+00}
        - {business_date: 2026-09-30, sku: A, location_code: P1, counted_quantity: 6, book_quantity: 5, _business_time: 2026-09-30 09:00:00+00}
        - {business_date: 2026-09-30, sku: B, location_code: P1, counted_quantity: 2, book_quantity: 2}
        - {business_date: 2026-09-30, sku: C, location_code: P1, counted_quantity: 3, book_quantity: 9}
        - {business_date: 2026-06-01, sku: A, location_code: P1, counted_quantity: 1, book_quantity: 9}
        - {business_date: 2026-09-30, sku: C, location_code: P2, counted_quantity: 3, book_quantity: 9}
        - {business_date: 2026-09-30, sku: A, location_code: P3, counted_quantity: 1}
        - {business_date: 2026-09-30, sku: A, location_code: P4, counted_quantity: 1, book_quantity: 0}
    expect:
      - {business_date: 2026-09-30, location_code: P1, numerator: 36, denominator: 40, value: 0.9, reason_code: null, coverage_pct: 75, deviation_value: 4}
      - {business_date: 2026-09-30, location_code: P2, numerator: null, denominator: null, value: null, reason_code: no_cost, coverage_pct: 0}
      - {business_date: 2026-09-30, location_code: P3, value: null, reason_code: no_book, coverage_pct: 0}
      - {business_date: 2026-09-30, location_code: P4, value: null, reason_code: no_stock, coverage_pct: 100, deviation_value: 2}
*/
WITH counts AS (
  SELECT
    business_date,
    location_code,
    sku,
    CAST(book_quantity AS FLOAT64) AS book,
    CAST(ABS(counted_quantity - book_quantity) AS FLOAT64) AS deviation
  FROM inventory_curated.stock_counts
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY business_date, sku, location_code ORDER BY _business_time DESC, _generation DESC, _line DESC
  ) = 1
),
counted_by_day AS (
  SELECT
    counts.business_date,
    counts.location_code,
    SUM(GREATEST(counts.book, 0) * CAST(product.unit_cost AS FLOAT64)) AS book_value,
    SUM(counts.deviation * CAST(product.unit_cost AS FLOAT64)) AS deviation_value,
    COUNT(counts.book * product.unit_cost) AS judged,
    COUNT(counts.book) AS with_book,
    COUNT(*) AS counted
  FROM counts
  LEFT JOIN inventory_curated.products_by_day AS product
    ON product.sku = counts.sku AND counts.business_date BETWEEN product.valid_from AND product.valid_to
  GROUP BY counts.business_date, counts.location_code
),
by_location AS (
  SELECT
    calendar.business_date,
    day.location_code,
    COALESCE(SUM(day.book_value), 0.0) AS book_value,
    COALESCE(SUM(day.deviation_value), 0.0) AS deviation_value,
    SUM(day.judged) AS judged,
    SUM(day.with_book) AS with_book,
    SUM(day.counted) AS counted
  FROM inventory_kpi.calendar AS calendar
  JOIN counted_by_day AS day
    ON day.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, day.location_code
)
SELECT
  business_date,
  location_code,
  IF(book_value > 0, book_value - deviation_value, NULL) AS numerator,
  IF(book_value > 0, book_value, NULL) AS denominator,
  IF(book_value > 0, (book_value - deviation_value) / book_value, NULL) AS value,
  CASE
    WHEN with_book = 0 THEN 'no_book'
    WHEN judged = 0 THEN 'no_cost'
    WHEN book_value <= 0 THEN 'no_stock'
  END AS reason_code,
  100.0 * judged / counted AS coverage_pct,
  deviation_value
FROM by_location
