/*
title: Stock value bridge
description: >
  How the value of the stock at a location went from one day's close to the next: opening value, plus receipts (less what
  went back to suppliers), less sales at cost, plus or less transfers, adjustments and new costs (revaluation), is the
  closing value; what no file explains is `unexplained`. Units that moved count at the day's unit cost, in the base
  currency. What goes out to customers and comes back counts as in the balance by day: as the movements state it, else
  as the sales do. Stock whose value becomes known (a first balance, a first cost, a balance after a gap) is
  `newly_known`, not a receipt; stock whose value is not known any more (stale) is `no_longer_known`. On a day without a
  snapshot the balance is the book balance, so nothing is unexplained. All columns but opening and closing add up over
  days and locations; the coverage is the share of SKUs whose value is known at both ends.
meaning: "Stock value changed by {value} in a day."
french:
  title: "Passage de la valeur du stock"
  description: >
    Comment la valeur du stock d'un emplacement est passée d'une clôture à la suivante : la valeur d'ouverture, plus
    les réceptions (moins les retours aux fournisseurs), moins les ventes au coût, plus ou moins les transferts, les
    ajustements et les nouveaux coûts (réévaluation), donne la valeur de clôture ; ce qu'aucun fichier n'explique
    est `unexplained`. Les unités comptent au coût unitaire du jour, dans la devise de base. Ce qui part chez les
    clients et en revient compte comme dans le stock par jour : comme les mouvements l'indiquent, sinon comme les
    ventes. Un stock dont la valeur devient connue (premier relevé, premier coût, relevé après une interruption) est
    `newly_known`, ce n'est pas une réception ; un stock dont la valeur n'est plus connue (périmé) est
    `no_longer_known`. Un jour sans relevé, le stock est le stock théorique : rien n'est inexpliqué. Toutes les
    colonnes, sauf l'ouverture et la clôture, s'additionnent sur les jours et les emplacements ; la couverture est
    la part des références dont la valeur est connue aux deux bouts.
  meaning: "La valeur du stock a changé de {value} en un jour."
formula: closing value - opening value = receipts - sales + transfers + adjustments + revaluation + newly_known - no_longer_known + unexplained
source: accounting identity
unit: EUR
grain: [location_code]
owner: inventory-analytics
lookback_days: 1
horizon: stock
direction: none
rollup: sum
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, units_sold: 1}
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_stocked: true, on_hand: 13, unit_cost: 2, units_sold: 3}
        - {business_date: 2026-09-03, sku: A, location_code: P1, is_stocked: true, on_hand: 12, unit_cost: 3, units_sold: 0}
        - {business_date: 2026-09-04, sku: A, location_code: P1, is_stocked: true, on_hand: null, unit_cost: 3, units_sold: 0}
        - {business_date: 2026-09-02, sku: B, location_code: P1, is_stocked: true, on_hand: 5, unit_cost: null, units_sold: 0}
        - {business_date: 2026-09-03, sku: B, location_code: P1, is_stocked: true, on_hand: 5, unit_cost: 4, units_sold: 0}
        - {business_date: 2026-09-04, sku: B, location_code: P1, is_stocked: true, on_hand: 4, unit_cost: 4, units_sold: 1}
        - {business_date: 2026-09-02, sku: A, location_code: WEB, is_stocked: false, unit_cost: 2, units_sold: 9}
        - {business_date: 2026-09-03, sku: C, location_code: P2, is_stocked: true, on_hand: 2, unit_cost: 5, units_sold: 0}
        - {business_date: 2026-09-04, sku: C, location_code: P2, is_stocked: false, unit_cost: 6, units_sold: 2}
        - {business_date: 2026-09-03, sku: D, location_code: P3, is_stocked: true, on_hand: 2, units_sold: 0}
        - {business_date: 2026-09-04, sku: D, location_code: P3, is_stocked: true, units_sold: 0}
      inventory_curated.stock_movements:
        - {document: "1", line_number: 1, business_date: 2026-09-02, movement_type: receipt, sku: A, location_code: P1, quantity: 9}
        - {document: "1", line_number: 2, business_date: 2026-09-02, movement_type: return, sku: A, location_code: P1, quantity: -1}
        - {document: "2", line_number: 1, business_date: 2026-09-02, movement_type: transfer_out, sku: A, location_code: P1, quantity: -2}
        - {document: "3", line_number: 1, business_date: 2026-09-03, movement_type: adjustment, sku: A, location_code: P1, quantity: -1}
        - {document: "4", line_number: 1, business_date: 2026-09-03, movement_type: issue, sku: A, location_code: P1, quantity: -1}
        - {document: "4", line_number: 2, business_date: 2026-09-03, movement_type: return, sku: A, location_code: P1, quantity: 1}
    expect:
      - {business_date: 2026-09-01, location_code: P1, opening_value: 0, newly_known: 20, sales: 0, closing_value: 20, value: 20, coverage_pct: 0}
      - {business_date: 2026-09-02, location_code: P1, opening_value: 20, receipts: 16, sales: 6, transfers: -4, adjustments: 0, revaluation: 0, newly_known: 0, unexplained: 0, closing_value: 26, value: 6, coverage_pct: 50}
      - {business_date: 2026-09-03, location_code: P1, opening_value: 26, sales: 0, adjustments: -3, revaluation: 13, newly_known: 20, no_longer_known: 0, unexplained: 0, closing_value: 56, value: 30, coverage_pct: 50}
      - {business_date: 2026-09-04, location_code: P1, opening_value: 56, sales: 4, no_longer_known: 36, unexplained: 0, closing_value: 16, value: -40, coverage_pct: 50}
      - {business_date: 2026-09-05, location_code: P1, opening_value: 16}
      - {business_date: 2026-09-03, location_code: P2, newly_known: 10, value: 10}
      - {business_date: 2026-09-04, location_code: P2, opening_value: 10, sales: 10, unexplained: 0, closing_value: 0, value: -10, coverage_pct: 100}
      - {business_date: 2026-09-03, location_code: P3, value: null, reason_code: no_cost, coverage_pct: 0}
      - {business_date: 2026-09-04, location_code: P3, value: null, reason_code: stale}
      - {business_date: 2026-09-05, location_code: P3, value: null}
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, on_hand: 10, unit_cost: 2, units_sold: 0}
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_stocked: true, on_hand: 6, unit_cost: 2, units_sold: 3}
    expect:
      - {business_date: 2026-09-01, location_code: P1, newly_known: 20, closing_value: 20}
      - {business_date: 2026-09-02, location_code: P1, opening_value: 20, sales: 6, unexplained: -2, closing_value: 12, value: -8, reason_code: null}
      - {business_date: 2026-09-03, location_code: P1, opening_value: 12}
*/
WITH facts AS (
  -- each row is the close of its own day (shift 0) and the opening of the next one (shift 1)
  SELECT
    DATE_ADD(stock.business_date, INTERVAL shift DAY) AS business_date,
    stock.sku,
    stock.location_code,
    stock.is_stocked AND shift = 1 AS opens,
    stock.is_stocked AND shift = 0 AS closes,
    IF(shift = 1, stock.on_hand, NULL) AS opening_units,
    IF(shift = 1, stock.unit_cost, NULL) AS opening_cost,
    IF(shift = 0, stock.on_hand, NULL) AS closing_units,
    IF(shift = 0 AND stock.is_stocked, stock.unit_cost, NULL) AS closing_cost,
    IF(shift = 0, stock.units_sold, NULL) AS sold,
    CAST(NULL AS FLOAT64) AS customers,
    0.0 AS received,
    0.0 AS transferred,
    0.0 AS adjusted
  FROM inventory_kpi.stock_daily AS stock, UNNEST([0, 1]) AS shift
  WHERE stock.is_stocked OR shift = 0
  UNION ALL
  SELECT
    business_date,
    sku,
    location_code,
    FALSE,
    FALSE,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    IF(movement_type = 'issue' OR (movement_type = 'return' AND quantity > 0), CAST(quantity AS FLOAT64), NULL),
    IF(movement_type = 'receipt' OR (movement_type = 'return' AND quantity <= 0), CAST(quantity AS FLOAT64), 0.0),
    IF(movement_type IN ('transfer_in', 'transfer_out'), CAST(quantity AS FLOAT64), 0.0),
    IF(movement_type = 'adjustment', CAST(quantity AS FLOAT64), 0.0)
  FROM inventory_curated.stock_movements
),
cells AS (
  SELECT
    business_date,
    location_code,
    MAX(opening_units) AS opening_units,
    MAX(opening_cost) AS opening_cost,
    -- a delisted SKU has no row any more once its stock is 0
    IF(LOGICAL_OR(closes), MAX(closing_units), 0.0) AS closing_units,
    IF(LOGICAL_OR(closes), MAX(closing_cost), MAX(opening_cost)) AS closing_cost,
    COALESCE(-SUM(customers), SUM(sold), 0.0) AS sold,
    SUM(received) AS received,
    SUM(transferred) AS transferred,
    SUM(adjusted) AS adjusted
  FROM facts
  GROUP BY business_date, sku, location_code
  HAVING LOGICAL_OR(opens) OR LOGICAL_OR(closes)
),
valued AS (
  SELECT
    cells.*,
    opening_units * opening_cost AS opening_value,
    closing_units * closing_cost AS closing_value,
    opening_units * opening_cost IS NOT NULL AND closing_units * closing_cost IS NOT NULL AS is_known,
    -- rounded, so that tenths of a kilogram that cancel out are nothing
    ROUND(closing_units - opening_units - (received - sold + transferred + adjusted), 6) AS unexplained_units
  FROM cells
),
bridge AS (
  SELECT
    business_date,
    location_code,
    COUNT(*) AS skus,
    COUNTIF(is_known) AS skus_known,
    COUNT(COALESCE(opening_value, closing_value)) AS skus_valued,
    COUNT(closing_units) AS skus_counted,
    SUM(COALESCE(opening_value, 0.0)) AS opening_value,
    SUM(IF(is_known, received * closing_cost, 0.0)) AS receipts,
    SUM(IF(is_known, sold * closing_cost, 0.0)) AS sales,
    SUM(IF(is_known, transferred * closing_cost, 0.0)) AS transfers,
    SUM(IF(is_known, adjusted * closing_cost, 0.0)) AS adjustments,
    SUM(IF(is_known, opening_units * (closing_cost - opening_cost), 0.0)) AS revaluation,
    SUM(IF(opening_value IS NULL, COALESCE(closing_value, 0.0), 0.0)) AS newly_known,
    SUM(IF(closing_value IS NULL, COALESCE(opening_value, 0.0), 0.0)) AS no_longer_known,
    SUM(IF(is_known, unexplained_units * closing_cost, 0.0)) AS unexplained,
    SUM(COALESCE(closing_value, 0.0)) AS closing_value
  FROM valued
  GROUP BY business_date, location_code
)
SELECT
  business_date,
  location_code,
  IF(skus_valued = 0, NULL, closing_value - opening_value) AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  IF(skus_valued = 0, NULL, closing_value - opening_value) AS value,
  CASE WHEN skus_valued > 0 THEN NULL WHEN skus_counted = 0 THEN 'stale' ELSE 'no_cost' END AS reason_code,
  100 * skus_known / skus AS coverage_pct,
  opening_value,
  receipts,
  sales,
  transfers,
  adjustments,
  revaluation,
  newly_known,
  no_longer_known,
  unexplained,
  closing_value
FROM bridge
