/*
title: Shrinkage
description: >
  Stock that the counts of the last 90 days found missing, at cost on the day of the count, as a share of the location's
  net sales in the same days. Surplus is deducted, and also shown on its own. A recount replaces the count of the same
  day. A record without book quantity or cost is left out and lowers the coverage; a location without net sales (a
  warehouse) has no rate.
meaning: "Shrinkage is {value} of net sales."
french:
  title: "Démarque inconnue"
  description: >
    Stock que les comptages des 90 derniers jours ont trouvé manquant, au coût du jour du comptage, en part des
    ventes nettes de l'emplacement les mêmes jours. Le surplus est déduit, et montré à part. Un recomptage remplace
    le comptage du même jour. Un comptage sans quantité théorique ou sans coût est exclu et baisse la couverture ;
    un emplacement sans ventes nettes (un entrepôt) n'a pas de taux.
  meaning: "La démarque inconnue est de {value} des ventes nettes."
formula: sum of (book - counted quantity) x unit cost over the counts of 90 days / net sales of the 90 days
source: retail loss texts (cost over retail)
unit: share
grain: [location_code]
owner: inventory-analytics
lookback_days: 89
horizon: sales
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
        - {business_date: 2026-09-30, sku: A, location_code: P1, counted_quantity: 5, book_quantity: 10, _business_time: 2026-09-30 09:00:00+00}
        - {business_date: 2026-09-30, sku: A, location_code: P1, counted_quantity: 1, book_quantity: 10, _business_time: 2026-09-30 08:00:00+00}
        - {business_date: 2026-09-30, sku: B, location_code: P1, counted_quantity: 3, book_quantity: 2.5}
        - {business_date: 2026-09-30, sku: C, location_code: P1, counted_quantity: 3, book_quantity: 9}
        - {business_date: 2026-09-30, sku: A, location_code: P2, counted_quantity: 1, book_quantity: 2}
        - {business_date: 2026-09-30, sku: A, location_code: P3, counted_quantity: 1}
      inventory_curated.sales:
        - {business_date: 2026-09-01, sku: A, location_code: P1, quantity: 1, net_amount: 100}
        - {business_date: 2026-06-01, sku: A, location_code: P1, quantity: 1, net_amount: 900}
    expect:
      - {business_date: 2026-09-30, location_code: P1, numerator: 5, denominator: 100, value: 0.05, reason_code: null, surplus: 5, coverage_pct: 66.6666667}
      - {business_date: 2026-09-30, location_code: P2, numerator: null, denominator: null, value: null, reason_code: no_demand, coverage_pct: 100}
      - {business_date: 2026-09-30, location_code: P3, value: null, reason_code: no_book, coverage_pct: 0}
*/
WITH counts AS (
  SELECT
    business_date,
    location_code,
    sku,
    CAST(book_quantity AS FLOAT64) AS book,
    CAST(book_quantity - counted_quantity AS FLOAT64) AS missing
  FROM inventory_curated.stock_counts
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY business_date, sku, location_code ORDER BY _business_time DESC, _generation DESC, _line DESC
  ) = 1
),
counted_by_day AS (
  SELECT
    counts.business_date,
    counts.location_code,
    SUM(counts.missing * CAST(product.unit_cost AS FLOAT64)) AS lost,
    SUM(GREATEST(-counts.missing, 0) * CAST(product.unit_cost AS FLOAT64)) AS surplus,
    COUNT(counts.missing * product.unit_cost) AS judged,
    COUNT(counts.book) AS with_book,
    COUNT(*) AS counted
  FROM counts
  LEFT JOIN inventory_curated.products_by_day AS product
    ON product.sku = counts.sku AND counts.business_date BETWEEN product.valid_from AND product.valid_to
  GROUP BY counts.business_date, counts.location_code
),
sold_by_day AS (
  SELECT business_date, location_code, SUM(CAST(net_amount AS FLOAT64)) AS net_sales
  FROM inventory_curated.sales
  GROUP BY business_date, location_code
),
missing AS (
  SELECT
    calendar.business_date,
    day.location_code,
    COALESCE(SUM(day.lost), 0.0) AS lost,
    COALESCE(SUM(day.surplus), 0.0) AS surplus,
    SUM(day.judged) AS judged,
    SUM(day.with_book) AS with_book,
    SUM(day.counted) AS counted
  FROM inventory_kpi.calendar AS calendar
  JOIN counted_by_day AS day
    ON day.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, day.location_code
),
sold AS (
  SELECT calendar.business_date, day.location_code, SUM(day.net_sales) AS net_sales
  FROM inventory_kpi.calendar AS calendar
  JOIN sold_by_day AS day
    ON day.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, day.location_code
)
SELECT
  missing.business_date,
  missing.location_code,
  IF(missing.judged > 0 AND sold.net_sales > 0, missing.lost, NULL) AS numerator,
  IF(missing.judged > 0 AND sold.net_sales > 0, sold.net_sales, NULL) AS denominator,
  IF(missing.judged > 0 AND sold.net_sales > 0, missing.lost / sold.net_sales, NULL) AS value,
  CASE
    WHEN missing.with_book = 0 THEN 'no_book'
    WHEN missing.judged = 0 THEN 'no_cost'
    WHEN COALESCE(sold.net_sales, 0.0) <= 0 THEN 'no_demand'
  END AS reason_code,
  100.0 * missing.judged / missing.counted AS coverage_pct,
  missing.surplus,
  missing.lost
FROM missing
LEFT JOIN sold ON sold.business_date = missing.business_date AND sold.location_code = missing.location_code
