/*
title: Safety stock
description: >
  Units to keep against uncertain demand and delivery, for a cycle service level of 95 % (z = {z_hundredths} hundredths of a
  standard deviation): from the spread of the daily demand of the last 90 days, the product's lead time, and the spread of
  its supplier's lead times where that is known. Days whose sales are
  missing are left out; fewer than 28 days are too few. For intermittent demand the
  figure is too low.
meaning: "Keep {value} units as safety stock."
french:
  title: "Stock de sécurité"
  description: >
    Unités à garder contre une demande et des livraisons incertaines, pour un taux de service par cycle de 95 % (z =
    {z_hundredths} centièmes d'écart-type) : d'après la dispersion de la demande par jour des 90 derniers jours, le
    délai de livraison du produit et, si elle est connue, la dispersion des délais de son fournisseur. Les jours
    dont les ventes manquent sont exclus ; moins de 28 jours ne suffisent pas. Pour une demande irrégulière le
    chiffre est trop bas.
  meaning: "Gardez {value} unités en stock de sécurité."
formula: z x sqrt(lead days x variance of daily demand + mean daily demand^2 x variance of the lead time)
source: King, APICS 2011
unit: units
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 90
horizon: stock
direction: none
rollup: sum
thresholds: {z_hundredths: 165}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, units_sold: 2}
      inventory_curated.products:
        - {sku: A, lead_time_days: 9}
    expect:
      - {business_date: 2026-09-01, sku: A, numerator: null, value: null, reason_code: missing_days, lead_days: 9}
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-03, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-04, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-05, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-06, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-07, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-08, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-09, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-10, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-11, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-12, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-13, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-14, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-15, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-16, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-17, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-18, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-19, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-20, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-21, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-22, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-23, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-24, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-25, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-26, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-27, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 4}
        - {business_date: 2026-09-28, sku: A, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
        - {business_date: 2026-09-28, sku: B, location_code: P1, is_stocked: true, supplier_code: S1, units_sold: 0}
      inventory_curated.products:
        - {sku: A, lead_time_days: 9}
      inventory_kpi.lead_time_spread:
        - {business_date: 2026-09-28, supplier_code: S1, value: 3}
    expect:
      - {business_date: 2026-09-01, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-02, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-03, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-04, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-05, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-06, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-07, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-08, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-09, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-10, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-11, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-12, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-13, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-14, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-15, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-16, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-17, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-18, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-19, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-20, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-21, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-22, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-23, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-24, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-25, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-26, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-27, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-28, sku: A, value: 14.129756, reason_code: null, daily_demand: 2, coverage_pct: 31.111111}
      - {business_date: 2026-09-28, sku: B, value: null, reason_code: missing_days, lead_days: null}
*/
WITH demand AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    supplier_code,
    COUNT(units_sold) OVER window_90d AS days_known,
    GREATEST(AVG(units_sold) OVER window_90d, 0) AS daily_demand,
    GREATEST(VAR_SAMP(units_sold) OVER window_90d, 0) AS demand_variance
  FROM inventory_kpi.stock_daily
  WHERE is_stocked
  WINDOW window_90d AS (
    PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)
    RANGE BETWEEN 89 PRECEDING AND CURRENT ROW
  )
),
needed AS (
  SELECT
    demand.*,
    CAST(product.lead_time_days AS FLOAT64) AS lead_days,
    COALESCE(spread.value, 0) AS lead_deviation
  FROM demand
  LEFT JOIN inventory_curated.products AS product ON product.sku = demand.sku
  LEFT JOIN inventory_kpi.lead_time_spread AS spread
    ON spread.business_date = demand.business_date AND spread.supplier_code = demand.supplier_code
),
computed AS (
  SELECT
    needed.*,
    IF(
      days_known >= 28,
      /* thresholds.z_hundredths */ 165 / 100
        * SQRT(lead_days * demand_variance + POW(daily_demand, 2) * POW(lead_deviation, 2)),
      NULL
    ) AS units
  FROM needed
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  units AS numerator,
  CAST(NULL AS FLOAT64) AS denominator,
  units AS value,
  CASE WHEN days_known < 28 THEN 'missing_days' WHEN lead_days IS NULL THEN 'no_lead_time' END AS reason_code,
  100 * days_known / 90 AS coverage_pct,
  daily_demand,
  lead_days
FROM computed
