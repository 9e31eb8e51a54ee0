/*
title: Data freshness
description: >
  How many days a feed's newest business date lies behind, at each location: 0 when the day itself has rows. It covers the
  feeds of which files are expected each day, and locations that are open. "Today" is the newest day that any of the
  stock, sales or customer order facts knows, so one feed or location that falls behind the others shows; when all stop,
  the reporting view `freshness` and the alert on late feeds tell, by the clock. After 31 days without rows there is no figure
  (`stale`), after 60 no row: the location has most likely stopped to send.
meaning: "Data are {value} days behind."
french:
  title: "Fraîcheur des données"
  description: >
    Nombre de jours de retard de la dernière date d'un flux, par emplacement : 0 si le jour même a des lignes. Sont
    suivis les flux dont un fichier est attendu chaque jour, et les emplacements ouverts. « Aujourd'hui » est le
    jour le plus récent que connaissent les stocks, les ventes ou les commandes clients : un flux ou un emplacement
    en retard sur les autres se voit ; si tous s'arrêtent, la vue `freshness` et l'alerte sur les flux en retard le disent, d'après
    l'horloge. Après 31 jours sans ligne il n'y a plus de chiffre (`stale`), après 60 plus de ligne : l'emplacement
    a sans doute cessé d'envoyer.
  meaning: "Les données ont {value} jours de retard."
formula: day - newest business date of the feed at the location up to that day; total = mean over feeds and locations
source: data quality practice (timeliness)
unit: days
grain: [feed, location_code]
owner: inventory-data
lookback_days: 60
direction: down
rollup: ratio
thresholds: {high: 1}
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-01}
        - {business_date: 2026-09-02}
        - {business_date: 2026-09-03}
        - {business_date: 2026-10-03}
        - {business_date: 2026-11-20}
      inventory_curated.sales:
        - {business_date: 2026-09-01, location_code: P1, receipt_number: "1", line_number: 1, sku: A, quantity: 1}
        - {business_date: 2026-09-01, location_code: P1, receipt_number: "1", line_number: 2, sku: B, quantity: 1}
        - {business_date: 2026-09-03, location_code: P1, receipt_number: "2", line_number: 1, sku: A, quantity: 1}
      inventory_curated.stock_snapshots:
        - {business_date: 2026-09-02, location_code: P1, sku: A, on_hand: 1}
      inventory_curated.stock_movements:
        - {document: "1", line_number: 1, business_date: 2026-09-02, movement_type: receipt, sku: A, location_code: P2, quantity: 9}
      inventory_curated.locations:
        - {location_code: P2, closed_on: 2026-09-03}
    expect:
      - {business_date: 2026-09-01, feed: sales, location_code: P1, numerator: 0, denominator: 1, value: 0, last_date: 2026-09-01, coverage_pct: 100}
      - {business_date: 2026-09-02, feed: sales, location_code: P1, value: 1, last_date: 2026-09-01}
      - {business_date: 2026-09-03, feed: sales, location_code: P1, value: 0}
      - {business_date: 2026-10-03, feed: sales, location_code: P1, value: 30, reason_code: null}
      - {business_date: 2026-09-02, feed: stock_snapshots, location_code: P1, value: 0}
      - {business_date: 2026-09-03, feed: stock_snapshots, location_code: P1, value: 1}
      - {business_date: 2026-10-03, feed: stock_snapshots, location_code: P1, value: 31}
      - {business_date: 2026-09-02, feed: stock_movements, location_code: P2, value: 0}
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-10-03}
        - {business_date: 2026-10-31}
        - {business_date: 2026-11-01}
      inventory_curated.purchase_orders:
        - {order_number: "1", line_number: 1, business_date: 2026-09-01, supplier_code: S1, sku: A, location_code: P1, ordered_quantity: 9}
    expect:
      - {business_date: 2026-10-03, feed: purchase_orders, location_code: P1, numerator: null, denominator: null, value: null, reason_code: stale, last_date: 2026-09-01, coverage_pct: 0}
      - {business_date: 2026-10-31, feed: purchase_orders, location_code: P1, value: null, reason_code: stale}
*/
WITH facts AS (
  SELECT DISTINCT 'sales' AS feed, location_code, business_date FROM inventory_curated.sales
  UNION ALL
  SELECT DISTINCT 'stock_snapshots', location_code, business_date FROM inventory_curated.stock_snapshots
  UNION ALL
  SELECT DISTINCT 'stock_movements', location_code, business_date FROM inventory_curated.stock_movements
  UNION ALL
  SELECT DISTINCT 'purchase_orders', location_code, business_date FROM inventory_curated.purchase_orders
  UNION ALL
  SELECT DISTINCT 'customer_orders', location_code, business_date FROM inventory_curated.customer_orders
),
spans AS (
  SELECT
    feed,
    location_code,
    business_date AS last_date,
    LEAD(business_date) OVER (PARTITION BY feed, location_code ORDER BY business_date) AS next_date
  FROM facts
  WHERE location_code IS NOT NULL
),
aged AS (
  SELECT
    calendar.business_date,
    spans.feed,
    spans.location_code,
    spans.last_date,
    DATE_DIFF(calendar.business_date, spans.last_date, DAY) AS days
  FROM spans
  JOIN inventory_kpi.calendar AS calendar
    ON calendar.business_date BETWEEN spans.last_date AND DATE_ADD(spans.last_date, INTERVAL 60 DAY)
    AND (spans.next_date IS NULL OR calendar.business_date < spans.next_date)
  LEFT JOIN inventory_curated.locations AS location ON location.location_code = spans.location_code
  WHERE calendar.business_date < COALESCE(location.closed_on, DATE '9999-12-31')
)
SELECT
  business_date,
  feed,
  location_code,
  IF(days > 31, NULL, CAST(days AS FLOAT64)) AS numerator,
  IF(days > 31, NULL, 1.0) AS denominator,
  IF(days > 31, NULL, CAST(days AS FLOAT64)) AS value,
  IF(days > 31, 'stale', NULL) AS reason_code,
  IF(days > 31, 0.0, 100.0) AS coverage_pct,
  last_date
FROM aged
