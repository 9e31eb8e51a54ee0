/*
title: Reorder point
description: >
  The level of stock plus open orders at which to reorder: demand during the lead time plus the safety stock.
meaning: "Reorder when stock plus open orders fall to {value} units."
french:
  title: "Point de commande"
  description: >
    Niveau du stock et des commandes en cours auquel il faut commander : la demande pendant le délai de livraison
    plus le stock de sécurité.
  meaning: "Commandez quand le stock et les commandes en cours tombent à {value} unités."
formula: mean daily demand x lead days + safety stock
source: reorder point rule, inventory theory texts
unit: units
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 0
horizon: stock
direction: none
rollup: sum
examples:
  - given:
      inventory_kpi.safety_stock:
        - {business_date: 2026-09-01, sku: A, location_code: P1, value: 12, daily_demand: 2, lead_days: 9, coverage_pct: 50}
        - {business_date: 2026-09-01, sku: B, location_code: P1, reason_code: no_lead_time, daily_demand: 2, coverage_pct: 50}
        - {business_date: 2026-09-01, sku: C, location_code: P1, value: 0, daily_demand: 0, lead_days: 9, coverage_pct: 100}
    expect:
      - {business_date: 2026-09-01, sku: A, numerator: 30, value: 30, reason_code: null, coverage_pct: 50, daily_demand: 2}
      - {business_date: 2026-09-01, sku: B, numerator: null, value: null, reason_code: no_lead_time}
      - {business_date: 2026-09-01, sku: C, value: 0}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  daily_demand * lead_days + value AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  daily_demand * lead_days + value AS value,
  reason_code,
  coverage_pct,
  daily_demand
FROM inventory_kpi.safety_stock
