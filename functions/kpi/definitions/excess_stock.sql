/*
title: Excess stock
description: >
  What the stock above the reorder point and one economic order would cost to buy again. The economic order balances
  {order_cost} EUR for each order against keeping stock for a year at {rate_pct} % of its cost, and is rounded up to whole
  packs where the pack is known. All stock of a SKU that does not sell is in excess; negative stock is never in excess.
meaning: "Stock worth {value} exceeds the reorder point plus one order."
french:
  title: "Surstock"
  description: >
    Ce que coûterait le rachat du stock au-dessus du point de commande et d'une commande économique. La commande
    économique met en balance {order_cost} EUR par commande et la possession du stock pendant un an à {rate_pct} %
    de son coût ; elle est arrondie au colis entier quand le colis est connu. Tout le stock d'une référence qui ne
    se vend pas est en excès ; un stock négatif ne l'est jamais.
  meaning: "Un stock de {value} dépasse le point de commande plus une commande."
formula: max(0, units on hand - (reorder point + economic order quantity)) x unit cost; economic order quantity = sqrt(2 x daily demand x 365 x {order_cost} / (unit cost x {rate_pct} / 100))
source: economic order quantity, inventory theory texts; supplychainpy, adapted
unit: EUR
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
horizon: stock
direction: down
rollup: sum
thresholds: {order_cost: 20, rate_pct: 20}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, on_hand: 300, unit_cost: 10}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, on_hand: 300, unit_cost: 10}
        - {business_date: 2026-09-01, sku: C, location_code: P1, is_stocked: true, on_hand: 30, unit_cost: 10}
        - {business_date: 2026-09-01, sku: D, location_code: P1, is_stocked: true, on_hand: 30, unit_cost: 10}
        - {business_date: 2026-09-01, sku: E, location_code: P1, is_stocked: true, on_hand: 30, unit_cost: 0}
        - {business_date: 2026-09-01, sku: F, location_code: P1, is_stocked: true, unit_cost: 10}
        - {business_date: 2026-09-01, sku: G, location_code: P1, is_stocked: true, on_hand: -5, unit_cost: 10}
        - {business_date: 2026-09-01, sku: A, location_code: WEB, is_stocked: false, unit_cost: 10, units_sold: 4}
      inventory_kpi.reorder_point:
        - {business_date: 2026-09-01, sku: A, location_code: P1, value: 100, daily_demand: 1.3698630137}
        - {business_date: 2026-09-01, sku: B, location_code: P1, value: 100, daily_demand: 1.3698630137}
        - {business_date: 2026-09-01, sku: C, location_code: P1, reason_code: no_lead_time, daily_demand: 2}
        - {business_date: 2026-09-01, sku: D, location_code: P1, value: 0, daily_demand: 0}
        - {business_date: 2026-09-01, sku: E, location_code: P1, value: 4, daily_demand: 2}
        - {business_date: 2026-09-01, sku: F, location_code: P1, value: 4, daily_demand: 2}
        - {business_date: 2026-09-01, sku: G, location_code: P1, value: 4, daily_demand: 2}
      inventory_curated.products:
        - {sku: A}
        - {sku: B, units_per_pack: 24}
    expect:
      - {business_date: 2026-09-01, sku: A, numerator: 1000, value: 1000, reason_code: null, coverage_pct: 100, excess_units: 100, economic_order_quantity: 100, order_quantity: 100, reorder_point: 100}
      - {business_date: 2026-09-01, sku: B, value: 800, excess_units: 80, economic_order_quantity: 100, order_quantity: 120}
      - {business_date: 2026-09-01, sku: C, numerator: null, value: null, reason_code: no_lead_time, coverage_pct: 0}
      - {business_date: 2026-09-01, sku: D, value: 300, order_quantity: 0}
      - {business_date: 2026-09-01, sku: E, value: null, reason_code: no_cost, economic_order_quantity: null}
      - {business_date: 2026-09-01, sku: F, value: null, reason_code: stale, coverage_pct: 0}
      - {business_date: 2026-09-01, sku: G, value: 0, excess_units: 0}
*/
WITH planned AS (
  SELECT
    stock.business_date,
    stock.sku,
    stock.location_code,
    stock.category,
    stock.on_hand,
    IF(stock.unit_cost > 0, stock.unit_cost, NULL) AS unit_cost,
    point.value AS reorder_point,
    point.reason_code AS why_no_point,
    CAST(product.units_per_pack AS FLOAT64) AS pack,
    -- rounded, so that a whole number of packs stays whole
    ROUND(
      SQRT(
        2 * point.daily_demand * 365 * /* thresholds.order_cost */ 20
          / (IF(stock.unit_cost > 0, stock.unit_cost, NULL) * /* thresholds.rate_pct */ 20 / 100)
      ),
      6
    ) AS economic_order_quantity
  FROM inventory_kpi.stock_daily AS stock
  JOIN inventory_kpi.reorder_point AS point
    ON point.business_date = stock.business_date
    AND point.sku = stock.sku
    AND point.location_code = stock.location_code
  LEFT JOIN inventory_curated.products AS product ON product.sku = stock.sku
  WHERE stock.is_stocked
),
ordered AS (
  SELECT
    planned.*,
    IF(pack > 0, CEIL(economic_order_quantity / pack) * pack, economic_order_quantity) AS order_quantity
  FROM planned
),
measured AS (
  SELECT ordered.*, GREATEST(on_hand - (reorder_point + order_quantity), 0) AS excess_units
  FROM ordered
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  excess_units * unit_cost AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  excess_units * unit_cost AS value,
  CASE
    WHEN on_hand IS NULL THEN 'stale'
    WHEN unit_cost IS NULL THEN 'no_cost'
    ELSE why_no_point
  END AS reason_code,
  IF(excess_units IS NULL, 0.0, 100.0) AS coverage_pct,
  excess_units,
  economic_order_quantity,
  order_quantity,
  reorder_point
FROM measured
