/*
title: Weeks of supply, looking forward
description: >
  How many weeks the stock lasts if each coming day sells what its weekday sold on average in the last 28 days, and the
  day on which it runs out (`runs_out_on`). What is on order is not counted, and negative stock counts as none. It differs
  from days of supply where sales gather on some days of the week. More than {max_weeks} weeks count as {max_weeks}.
  A weekday without known sales (a new SKU, missing sales) leaves no figure.
meaning: "Stock lasts {value} weeks."
french:
  title: "Semaines de couverture à venir"
  description: >
    Nombre de semaines que dure le stock si chaque jour à venir vend la moyenne de son jour de semaine des 28
    derniers jours, et le jour où il s'épuise (`runs_out_on`). Ce qui est en commande n'est pas compté, et un stock
    négatif compte pour zéro. Le chiffre s'écarte des jours de couverture quand les ventes se concentrent sur
    certains jours. Plus de {max_weeks} semaines comptent pour {max_weeks}. Un jour de semaine sans ventes connues
    (nouvelle référence, ventes manquantes) ne donne pas de chiffre.
  meaning: "Le stock dure encore {value} semaines."
formula: weeks until the sum of the expected daily demand reaches max(units on hand, 0), the last day in part; total = sum of weeks x weekly demand / sum of weekly demand
source: retail practice (forward looking; expected demand is the mean of the weekday)
unit: weeks
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 28
horizon: stock
direction: none
rollup: ratio
thresholds: {low: 2, high: 13, max_weeks: 52}
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-21, sku: A, location_code: P1, is_stocked: true, on_hand: 40, units_sold: 2}
        - {business_date: 2026-09-22, sku: A, location_code: P1, is_stocked: true, on_hand: 38, units_sold: 2}
        - {business_date: 2026-09-23, sku: A, location_code: P1, is_stocked: true, on_hand: 36, units_sold: 0}
        - {business_date: 2026-09-24, sku: A, location_code: P1, is_stocked: true, on_hand: 36, units_sold: 0}
        - {business_date: 2026-09-25, sku: A, location_code: P1, is_stocked: true, on_hand: 36, units_sold: 4}
        - {business_date: 2026-09-26, sku: A, location_code: P1, is_stocked: true, on_hand: 32, units_sold: 12}
        - {business_date: 2026-09-27, sku: A, location_code: P1, is_stocked: true, on_hand: 25, units_sold: 0}
        - {business_date: 2026-09-28, sku: A, location_code: P1, is_stocked: true, on_hand: 16, units_sold: 4}
        - {business_date: 2026-09-29, sku: A, location_code: P1, is_stocked: true, on_hand: -1, units_sold: 2}
        - {business_date: 2026-09-30, sku: A, location_code: P1, is_stocked: true, units_sold: 0}
        - {business_date: 2026-10-01, sku: A, location_code: P1, is_stocked: true, on_hand: 9000, units_sold: 0}
    expect:
      - {business_date: 2026-09-21, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-22, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-23, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-24, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-25, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-26, sku: A, value: null, reason_code: missing_days}
      - {business_date: 2026-09-27, sku: A, denominator: 20, value: 1.607142857, runs_out_on: 2026-10-09, reason_code: null, coverage_pct: 100}
      - {business_date: 2026-09-28, sku: A, denominator: 21, numerator: 14.5, value: 0.690476190, runs_out_on: 2026-10-03}
      - {business_date: 2026-09-29, sku: A, numerator: 0, value: 0, runs_out_on: 2026-09-29}
      - {business_date: 2026-09-30, sku: A, numerator: null, denominator: null, value: null, reason_code: stale}
      - {business_date: 2026-10-01, sku: A, numerator: 1092, denominator: 21, value: 52, runs_out_on: null}
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-21, sku: B, location_code: P1, is_stocked: true, on_hand: 4, units_sold: 0}
        - {business_date: 2026-09-22, sku: B, location_code: P1, is_stocked: true, on_hand: 4, units_sold: 0}
        - {business_date: 2026-09-23, sku: B, location_code: P1, is_stocked: true, on_hand: 4, units_sold: 0}
        - {business_date: 2026-09-24, sku: B, location_code: P1, is_stocked: true, on_hand: 5, units_sold: -1}
        - {business_date: 2026-09-25, sku: B, location_code: P1, is_stocked: true, on_hand: 5, units_sold: 0}
        - {business_date: 2026-09-26, sku: B, location_code: P1, is_stocked: true, on_hand: 5, units_sold: 0}
        - {business_date: 2026-09-27, sku: B, location_code: P1, is_stocked: true, on_hand: 5, units_sold: 0}
    expect:
      - {business_date: 2026-09-21, sku: B, value: null}
      - {business_date: 2026-09-22, sku: B, value: null}
      - {business_date: 2026-09-23, sku: B, value: null}
      - {business_date: 2026-09-24, sku: B, value: null}
      - {business_date: 2026-09-25, sku: B, value: null}
      - {business_date: 2026-09-26, sku: B, value: null}
      - {business_date: 2026-09-27, sku: B, numerator: null, denominator: null, value: null, reason_code: no_demand, runs_out_on: null}
*/
-- the same weekdays of four weeks: what the day in seven days is expected to sell
WITH by_weekday AS (
  SELECT
    business_date,
    sku,
    location_code,
    category,
    on_hand,
    units_sold,
    GREATEST(AVG(units_sold) OVER weekdays, 0) AS expected
  FROM inventory_kpi.stock_daily
  WHERE is_stocked
  WINDOW weekdays AS (
    PARTITION BY sku, location_code, MOD(UNIX_DATE(business_date), 7) ORDER BY UNIX_DATE(business_date)
    RANGE BETWEEN 27 PRECEDING AND CURRENT ROW
  )
),
-- the seven days to come are expected to sell what the weekdays of the last seven days say, in the same order
ahead AS (
  SELECT
    by_weekday.*,
    DATE_DIFF(business_date, LAG(business_date, 6) OVER shelf, DAY) = 6 AS is_whole_week,
    LAG(expected, 6) OVER shelf AS day_1,
    LAG(expected, 5) OVER shelf AS day_2,
    LAG(expected, 4) OVER shelf AS day_3,
    LAG(expected, 3) OVER shelf AS day_4,
    LAG(expected, 2) OVER shelf AS day_5,
    LAG(expected, 1) OVER shelf AS day_6,
    expected AS day_7,
    COUNT(IF(units_sold IS NULL, NULL, on_hand)) OVER window_28d AS days_known,
    COUNT(*) OVER window_28d AS days_all
  FROM by_weekday
  WINDOW
    shelf AS (PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)),
    window_28d AS (
      PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date) RANGE BETWEEN 27 PRECEDING AND CURRENT ROW
    )
),
summed AS (
  SELECT
    ahead.*,
    IF(is_whole_week, day_1 + day_2 + day_3 + day_4 + day_5 + day_6 + day_7, NULL) AS weekly_units
  FROM ahead
),
-- whole weeks first, and what is left for the last one: above 0 and at most a week's demand. Rounded
-- here and below, so that thirds of a unit that add up to the stock leave nothing for the days after
split AS (
  SELECT
    summed.*,
    weekly_units > 0 AND on_hand IS NOT NULL AS has_value,
    GREATEST(CEIL(ROUND(GREATEST(on_hand, 0) / NULLIF(weekly_units, 0), 9)) - 1, 0) AS weeks,
    GREATEST(on_hand, 0)
      - GREATEST(CEIL(ROUND(GREATEST(on_hand, 0) / NULLIF(weekly_units, 0), 9)) - 1, 0) * weekly_units AS rest
  FROM summed
),
lasting AS (
  SELECT
    split.*,
    7 * weeks + (
      SELECT SUM(IF(ROUND(rest - day.before, 6) > 0, IF(day.units > 0, LEAST((rest - day.before) / day.units, 1), 1), 0))
      FROM UNNEST([
        STRUCT(day_1 AS units, 0 AS before),
        STRUCT(day_2, day_1),
        STRUCT(day_3, day_1 + day_2),
        STRUCT(day_4, day_1 + day_2 + day_3),
        STRUCT(day_5, day_1 + day_2 + day_3 + day_4),
        STRUCT(day_6, day_1 + day_2 + day_3 + day_4 + day_5),
        STRUCT(day_7, day_1 + day_2 + day_3 + day_4 + day_5 + day_6)
      ]) AS day
    ) AS days
  FROM split
),
capped AS (
  SELECT lasting.*, LEAST(days / 7, /* thresholds.max_weeks */ 52) AS lasts
  FROM lasting
)
SELECT
  business_date,
  sku,
  location_code,
  category,
  IF(has_value, lasts * weekly_units, NULL) AS numerator,
  IF(has_value, weekly_units, NULL) AS denominator,
  IF(has_value, lasts, NULL) AS value,
  CASE
    WHEN on_hand IS NULL THEN 'stale'
    WHEN weekly_units IS NULL THEN 'missing_days'
    WHEN weekly_units <= 0 THEN 'no_demand'
  END AS reason_code,
  100 * days_known / days_all AS coverage_pct,
  IF(
    has_value AND days < 7 * /* thresholds.max_weeks */ 52,
    DATE_ADD(business_date, INTERVAL CAST(CEIL(ROUND(days, 6)) AS INT64) DAY),
    NULL
  ) AS runs_out_on
FROM capped
