/*
title: Below reorder point
description: >
  Share of the listed SKUs whose available and incoming stock is at or below the reorder point that the sender states
  with the balances, at the locations that state one.
meaning: "{value} of SKU-locations with a reorder point are at or below it."
french:
  title: "Sous le point de commande"
  description: >
    Part des références au catalogue dont le stock disponible et attendu est au point de commande que l'expéditeur
    indique avec les stocks, ou au-dessous, dans les emplacements qui en indiquent un.
  meaning: "{value} des références par emplacement avec un point de commande sont à ce point ou au-dessous."
formula: listed SKU-locations with available + incoming <= reorder point / those with a reorder point and a known balance
source: reorder point rule, inventory theory texts
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 400
horizon: stock
direction: down
rollup: ratio
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_listed: true, available: 4}
        - {business_date: 2026-09-02, sku: B, location_code: P1, is_listed: true, available: 4}
        - {business_date: 2026-09-02, sku: C, location_code: P1, is_listed: true}
        - {business_date: 2026-09-02, sku: D, location_code: P1, is_listed: true, available: 0}
        - {business_date: 2026-09-02, sku: E, location_code: P1, is_listed: false, available: 0}
      inventory_curated.stock_snapshots:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 4, reorder_point: 5, safety_stock: 4.5}
        - {business_date: 2026-09-01, sku: B, location_code: P1, on_hand: 4, reorder_point: 5, incoming: 2}
        - {business_date: 2026-08-01, sku: C, location_code: P1, on_hand: 4, reorder_point: 5}
        - {business_date: 2026-09-01, sku: D, location_code: P1, on_hand: 0}
        - {business_date: 2026-09-01, sku: E, location_code: P1, on_hand: 0, reorder_point: 5}
    expect:
      - {business_date: 2026-09-02, sku: A, numerator: 1, denominator: 1, value: 1, is_below_safety_stock: true, reorder_point: 5}
      - {business_date: 2026-09-02, sku: B, numerator: 0, denominator: 1, value: 0, is_below_safety_stock: null}
      - {business_date: 2026-09-02, sku: C, numerator: null, denominator: null, value: null, reason_code: stale, coverage_pct: 0}
*/
WITH targets AS (
  SELECT
    sku,
    location_code,
    business_date AS stated_on,
    LEAD(business_date) OVER (PARTITION BY sku, location_code ORDER BY business_date) AS next_stated_on,
    CAST(reorder_point AS FLOAT64) AS reorder_point,
    CAST(safety_stock AS FLOAT64) AS safety_stock,
    CAST(COALESCE(incoming, 0) AS FLOAT64) AS incoming
  FROM inventory_curated.stock_snapshots
  WHERE reorder_point IS NOT NULL
),
compared AS (
  SELECT
    stock.business_date,
    stock.sku,
    stock.location_code,
    stock.category,
    IF(stock.available IS NULL, NULL, IF(stock.available + target.incoming <= target.reorder_point, 1.0, 0.0)) AS is_below,
    stock.available < target.safety_stock AS is_below_safety_stock,
    target.reorder_point,
    target.safety_stock
  FROM inventory_kpi.stock_daily AS stock
  JOIN targets AS target
    ON target.sku = stock.sku
    AND target.location_code = stock.location_code
    AND stock.business_date >= target.stated_on
    AND stock.business_date < COALESCE(target.next_stated_on, DATE '9999-12-31')
  WHERE stock.is_listed
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  is_below AS numerator,
  IF(is_below IS NULL, NULL, 1.0) AS denominator,
  is_below AS value,
  IF(is_below IS NULL, 'stale', NULL) AS reason_code,
  IF(is_below IS NULL, 0.0, 100.0) AS coverage_pct,
  is_below_safety_stock,
  reorder_point,
  safety_stock
FROM compared
