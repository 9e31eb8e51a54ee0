/*
title: Snapshot-ledger residual
description: >
  By how much each stated balance differs from the previous one plus the movements and less the sales in between; negative is
  missing. One row for each SKU, location and day on which they differ, when the previous balance is at most 31 days old.
  Causes are timing (a late or missing file), errors and shrinkage. Issues and customer returns count as in the balance
  by day: as the movements state them, else as the sales do.
meaning: "Stated balances differ from the ledger by {value} units."
french:
  title: "Écart entre relevés et mouvements"
  description: >
    De combien chaque stock relevé diffère du précédent, plus les mouvements et moins les ventes entre les deux ; un
    chiffre négatif manque. Une ligne par référence, emplacement et jour où ils diffèrent, si le relevé précédent a
    au plus 31 jours. Les causes sont le calendrier (un fichier en retard ou absent), les erreurs et la démarque.
    Les sorties et les retours clients comptent comme dans le stock par jour : comme les mouvements les indiquent,
    sinon comme les ventes.
  meaning: "Les stocks relevés diffèrent des mouvements de {value} unités."
formula: stated balance - (previous stated balance + movements - sales since then)
source: accounting identity
unit: units
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 31
horizon: stock
direction: none
rollup: sum
examples:
  - given:
      inventory_curated.stock_snapshots:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10}
        - {business_date: 2026-09-04, sku: A, location_code: P1, on_hand: 11}
        - {business_date: 2026-09-05, sku: A, location_code: P1, on_hand: 11}
        - {business_date: 2026-09-01, sku: B, location_code: P1, on_hand: 10}
        - {business_date: 2026-09-04, sku: B, location_code: P1, on_hand: 7}
        - {business_date: 2026-07-01, sku: C, location_code: P1, on_hand: 10}
        - {business_date: 2026-09-04, sku: C, location_code: P1, on_hand: 7}
      inventory_curated.stock_movements:
        - {document: "1", line_number: 1, business_date: 2026-09-02, movement_type: receipt, sku: A, location_code: P1, quantity: 6}
        - {document: "2", line_number: 1, business_date: 2026-09-04, movement_type: issue, sku: B, location_code: P1, quantity: -3}
      inventory_curated.sales:
        - {receipt_number: "1", line_number: 1, business_date: 2026-09-03, sku: A, location_code: P1, quantity: 3}
        - {receipt_number: "2", line_number: 1, business_date: 2026-09-04, sku: B, location_code: P1, quantity: 3}
    expect:
      - {business_date: 2026-09-04, sku: A, opening: 10, moved: 3, book: 13, closing: 11, value: -2, days: 3}
*/
WITH flows AS (
  SELECT
    business_date,
    sku,
    location_code,
    COALESCE(SUM(other), 0) + COALESCE(SUM(customers), -SUM(sold), 0) AS moved
  FROM (
    SELECT
      business_date,
      sku,
      location_code,
      IF(movement_type = 'issue' OR (movement_type = 'return' AND quantity > 0), quantity, NULL) AS customers,
      IF(movement_type = 'issue' OR (movement_type = 'return' AND quantity > 0), NULL, quantity) AS other,
      CAST(NULL AS NUMERIC) AS sold
    FROM inventory_curated.stock_movements
    UNION ALL
    SELECT business_date, sku, location_code, NULL, NULL, quantity
    FROM inventory_curated.sales
  ) AS facts
  GROUP BY business_date, sku, location_code
),
ledger AS (
  SELECT
    business_date,
    sku,
    location_code,
    MAX(on_hand) AS closing,
    SUM(SUM(moved)) OVER (
      PARTITION BY sku, location_code ORDER BY business_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS moved
  FROM (
    SELECT business_date, sku, location_code, on_hand, NUMERIC '0' AS moved FROM inventory_curated.stock_snapshots
    UNION ALL
    SELECT business_date, sku, location_code, NULL, moved FROM flows
  ) AS facts
  GROUP BY business_date, sku, location_code
),
compared AS (
  SELECT
    business_date,
    sku,
    location_code,
    DATE_DIFF(business_date, LAG(business_date) OVER by_shelf, DAY) AS days,
    LAG(closing) OVER by_shelf AS opening,
    moved - LAG(moved) OVER by_shelf AS moved,
    closing
  FROM ledger
  WHERE closing IS NOT NULL
  WINDOW by_shelf AS (PARTITION BY sku, location_code ORDER BY business_date)
),
measured AS (
  SELECT compared.*, CAST(closing - (opening + moved) AS FLOAT64) AS residual
  FROM compared
  WHERE days <= 31 AND closing != opening + moved
)
SELECT
  measured.business_date,
  measured.sku,
  measured.location_code,
  product.category,
  measured.residual AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  measured.residual AS value,
  CAST(NULL AS STRING) AS reason_code,
  100.0 AS coverage_pct,
  measured.days,
  CAST(measured.opening AS FLOAT64) AS opening,
  CAST(measured.moved AS FLOAT64) AS moved,
  CAST(measured.opening + measured.moved AS FLOAT64) AS book,
  CAST(measured.closing AS FLOAT64) AS closing,
  measured.residual * CAST(product.unit_cost AS FLOAT64) AS residual_value
FROM measured
LEFT JOIN inventory_curated.products_by_day AS product
  ON product.sku = measured.sku AND measured.business_date BETWEEN product.valid_from AND product.valid_to
