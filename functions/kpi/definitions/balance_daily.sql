/*
kind: base
title: Balance by day
description: >
  The dense spine: one row for each SKU and location that stocks it, for each day from its first balance to its
  delisting, with the last balance that is known. A missing day is not zero: a balance is carried forward for at
  most as many days as the contract of stock_snapshots says (carryForwardDays) and is stale after that. A shelf without a balance for 400 days is not listed any more. Goods in
  transit and virtual locations are left out.
formula: last known balance, carried forward for the days that the contract allows
grain: [sku, location_code]
owner: inventory-data
lookback_days: 400
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-01}
        - {business_date: 2026-09-02}
        - {business_date: 2026-09-09}
        - {business_date: 2026-09-10}
      inventory_curated.products:
        - {sku: A, delisted_on: 2026-09-10}
        - {sku: B}
      inventory_curated.locations:
        - {location_code: P1, type: store}
        - {location_code: T1, type: transit}
      inventory_curated.stock_snapshots:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10, unit_cost: 2}
        - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: -4}
        - {business_date: 2026-09-02, sku: B, location_code: P1, on_hand: 5, available: 3}
        - {business_date: 2026-09-02, sku: B, location_code: T1, on_hand: 5}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10, available: 10, balance_cost: 2, days_since_balance: 0}
      - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: -4, balance_cost: 2, is_stale: false}
      - {business_date: 2026-09-02, sku: B, location_code: P1, on_hand: 5, available: 3}
      - {business_date: 2026-09-09, sku: A, location_code: P1, on_hand: -4, days_since_balance: 7, is_stale: false}
      - {business_date: 2026-09-09, sku: B, location_code: P1, on_hand: 5}
      - {business_date: 2026-09-10, sku: B, location_code: P1, on_hand: null, available: null, days_since_balance: 8, is_stale: true}
*/
WITH listed AS (
  SELECT
    balance.sku,
    balance.location_code,
    MIN(balance.business_date) AS listed_on,
    MAX(product.delisted_on) AS delisted_on
  FROM inventory_curated.stock_snapshots AS balance
  LEFT JOIN inventory_curated.products AS product ON product.sku = balance.sku
  LEFT JOIN inventory_curated.locations AS location ON location.location_code = balance.location_code
  WHERE COALESCE(location.type, 'store') NOT IN ('transit', 'virtual')
  GROUP BY balance.sku, balance.location_code
),
spine AS (
  SELECT calendar.business_date, listed.sku, listed.location_code
  FROM listed
  JOIN inventory_kpi.calendar AS calendar
    ON calendar.business_date >= listed.listed_on
    AND (listed.delisted_on IS NULL OR calendar.business_date < listed.delisted_on)
),
carried AS (
  SELECT
    spine.business_date,
    spine.sku,
    spine.location_code,
    LAST_VALUE(balance.business_date IGNORE NULLS) OVER latest AS balance_date,
    LAST_VALUE(CAST(balance.on_hand AS FLOAT64) IGNORE NULLS) OVER latest AS on_hand,
    LAST_VALUE(CAST(COALESCE(balance.available, balance.on_hand) AS FLOAT64) IGNORE NULLS) OVER latest AS available,
    LAST_VALUE(CAST(balance.unit_cost AS FLOAT64) IGNORE NULLS) OVER latest AS balance_cost
  FROM spine
  LEFT JOIN inventory_curated.stock_snapshots AS balance
    ON balance.business_date = spine.business_date
    AND balance.sku = spine.sku
    AND balance.location_code = spine.location_code
  WINDOW latest AS (
    PARTITION BY spine.sku, spine.location_code ORDER BY UNIX_DATE(spine.business_date)
    RANGE BETWEEN 400 PRECEDING AND CURRENT ROW
  )
)
SELECT
  business_date,
  sku,
  location_code,
  DATE_DIFF(business_date, balance_date, DAY) AS days_since_balance,
  DATE_DIFF(business_date, balance_date, DAY) > /* stock_snapshots.carryForwardDays */ 7 AS is_stale,
  IF(DATE_DIFF(business_date, balance_date, DAY) > /* stock_snapshots.carryForwardDays */ 7, NULL, on_hand) AS on_hand,
  IF(DATE_DIFF(business_date, balance_date, DAY) > /* stock_snapshots.carryForwardDays */ 7, NULL, available) AS available,
  balance_cost
FROM carried
WHERE balance_date IS NOT NULL
