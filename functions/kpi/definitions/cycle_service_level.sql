/*
title: Cycle service level
description: >
  Share of the replenishment cycles, ended in the last 90 days, in which a listed SKU never ran out at a location. A cycle
  runs from a day on which goods arrive (a receipt or a transfer in) to the day before they arrive again; a cycle of more
  than 90 days is not seen. A day counts as a stockout when nothing was available at its close. Without two deliveries
  there is no cycle; fewer than 5 cycles (`few_cycles`) say little of one SKU and count in totals all the same. The
  coverage is the share of the days whose stock is known.
meaning: "{value} of replenishment cycles ended without a stockout."
french:
  title: "Taux de service par cycle"
  description: >
    Part des cycles de réapprovisionnement achevés dans les 90 derniers jours pendant lesquels une référence au
    catalogue n'a jamais été en rupture dans un emplacement. Un cycle va d'un jour d'arrivée de marchandise
    (réception ou transfert entrant) à la veille de l'arrivée suivante ; un cycle de plus de 90 jours n'est pas vu.
    Un jour est en rupture si rien n'était disponible à sa clôture. Sans deux livraisons il n'y a pas de cycle ;
    moins de 5 cycles (`few_cycles`) disent peu d'une seule référence, mais comptent dans les totaux. La couverture
    est la part des jours dont le stock est connu.
  meaning: "{value} des cycles de réapprovisionnement se sont achevés sans rupture."
formula: cycles without a stockout / cycles, of those that ended in 90 days
source: inventory theory texts (alpha service level)
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 180
horizon: stock
direction: up
rollup: ratio
thresholds: {low: 0.95}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, is_listed: true, available: 9}
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_stocked: true, is_listed: true, available: 0}
        - {business_date: 2026-09-03, sku: A, location_code: P1, is_stocked: true, is_listed: true, available: 5}
        - {business_date: 2026-09-04, sku: A, location_code: P1, is_stocked: true, is_listed: true}
        - {business_date: 2026-09-05, sku: A, location_code: P1, is_stocked: true, is_listed: true, available: 8}
        - {business_date: 2026-12-05, sku: A, location_code: P1, is_stocked: true, is_listed: true, available: 8}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, is_listed: false, available: 0}
        - {business_date: 2026-09-01, sku: A, location_code: WEB, is_stocked: false}
      inventory_curated.stock_movements:
        - {document: "1", line_number: 1, business_date: 2026-09-01, movement_type: receipt, sku: A, location_code: P1, quantity: 9}
        - {document: "1", line_number: 2, business_date: 2026-09-02, movement_type: receipt, sku: A, location_code: P1, quantity: -4}
        - {document: "2", line_number: 1, business_date: 2026-09-03, movement_type: transfer_in, sku: A, location_code: P1, quantity: 5}
        - {document: "3", line_number: 1, business_date: 2026-09-05, movement_type: receipt, sku: A, location_code: P1, quantity: 2}
        - {document: "3", line_number: 2, business_date: 2026-09-05, movement_type: receipt, sku: A, location_code: P1, quantity: 2}
        - {document: "4", line_number: 1, business_date: 2026-12-05, movement_type: receipt, sku: A, location_code: P1, quantity: 2}
    expect:
      - {business_date: 2026-09-01, sku: A, numerator: null, denominator: null, value: null, reason_code: no_cycle, cycles: 0, few_cycles: true}
      - {business_date: 2026-09-02, sku: A, value: null, reason_code: no_cycle}
      - {business_date: 2026-09-03, sku: A, numerator: 0, denominator: 1, value: 0, reason_code: null, cycles: 1, coverage_pct: 100}
      - {business_date: 2026-09-04, sku: A, value: 0, coverage_pct: 75}
      - {business_date: 2026-09-05, sku: A, numerator: 1, denominator: 2, value: 0.5, cycles: 2, coverage_pct: 80}
      - {business_date: 2026-12-05, sku: A, value: null, reason_code: no_cycle, coverage_pct: 100}
      - {business_date: 2026-09-01, sku: B, value: null, reason_code: no_cycle}
*/
WITH arrivals AS (
  SELECT DISTINCT business_date, sku, location_code
  FROM inventory_curated.stock_movements
  WHERE movement_type IN ('receipt', 'transfer_in') AND quantity > 0
),
days AS (
  SELECT
    stock.business_date,
    stock.sku,
    stock.location_code,
    stock.category,
    stock.available,
    arrival.sku IS NOT NULL AS arrives,
    MAX(IF(arrival.sku IS NULL, NULL, stock.business_date)) OVER before AS arrived_on,
    MAX(IF(stock.is_listed AND stock.available <= 0, stock.business_date, NULL)) OVER before AS out_on
  FROM inventory_kpi.stock_daily AS stock
  LEFT JOIN arrivals AS arrival
    ON arrival.business_date = stock.business_date
    AND arrival.sku = stock.sku
    AND arrival.location_code = stock.location_code
  WHERE stock.is_stocked
  WINDOW before AS (
    PARTITION BY stock.sku, stock.location_code ORDER BY UNIX_DATE(stock.business_date)
    RANGE BETWEEN 90 PRECEDING AND 1 PRECEDING
  )
),
counted AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    COUNTIF(arrives AND arrived_on IS NOT NULL) OVER window_90d AS cycles,
    COUNTIF(arrives AND arrived_on IS NOT NULL AND COALESCE(out_on < arrived_on, TRUE)) OVER window_90d AS served,
    COUNT(available) OVER window_90d AS days_known,
    COUNT(*) OVER window_90d AS days_all
  FROM days
  WINDOW window_90d AS (
    PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)
    RANGE BETWEEN 89 PRECEDING AND CURRENT ROW
  )
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(cycles = 0, NULL, CAST(served AS FLOAT64)) AS numerator,
  CAST(NULLIF(cycles, 0) AS FLOAT64) AS denominator,
  served / NULLIF(cycles, 0) AS value,
  IF(cycles = 0, 'no_cycle', NULL) AS reason_code,
  100 * days_known / days_all AS coverage_pct,
  cycles,
  cycles < 5 AS few_cycles
FROM counted
