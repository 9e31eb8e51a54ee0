/*
kind: base
title: Balance by day
description: >
  One row for each SKU and location for each day from its first balance, with the last balance that is known, moved
  by the movements and sales since then (`is_book`). Of one SKU, location and day, issues and customer returns count as
  the movements state them, and as the sales do where no movement does. A missing day is not zero: a balance stands for
  at most as many days as the contract of stock_snapshots says (carryForwardDays) and is stale after that; where the
  contract says that a file holds the whole of a location and day (wholeLocationDay), a SKU that it leaves out is zero.
  A SKU is listed from listed_from to delisted_on, while its location is open; a day outside keeps its row for as long
  as there is stock. A SKU without a balance for 400 days has no row. Transit and virtual locations are left out.
french:
  title: "Stock par jour"
  description: >
    Une ligne par référence, emplacement et jour depuis le premier stock connu : le dernier stock relevé, mis à jour
    des mouvements et des ventes depuis (`is_book`). Pour une référence, un emplacement et un jour, les sorties et
    les retours clients comptent comme les mouvements les indiquent, sinon comme les ventes. Un jour absent ne vaut
    pas zéro : un stock est reporté au plus le nombre de jours prévu au contrat de stock_snapshots
    (carryForwardDays), puis il est périmé ; si le contrat dit qu'un fichier contient tout un emplacement et un jour
    (wholeLocationDay), une référence qui n'y est pas vaut zéro. Une référence est au catalogue de listed_from à
    delisted_on, tant que l'emplacement est ouvert ; un jour hors de cette période garde sa ligne tant qu'il reste
    du stock. Sans stock relevé depuis 400 jours, il n'y a pas de ligne. Les emplacements de transit et virtuels
    sont exclus.
formula: last known balance + movements - sales since then, for the days that the contract allows
grain: [sku, location_code]
owner: inventory-data
lookback_days: 400
horizon: stock
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-01}
        - {business_date: 2026-09-02}
        - {business_date: 2026-09-09}
        - {business_date: 2026-09-10}
      inventory_curated.products:
        - {sku: A, delisted_on: 2026-09-09}
        - {sku: B}
        - {sku: C, listed_from: 2026-09-09}
        - {sku: D, delisted_on: 2026-09-02}
      inventory_curated.locations:
        - {location_code: P1, type: store}
        - {location_code: T1, type: transit}
      inventory_curated.stock_snapshots:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10, unit_cost: 2}
        - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: -4}
        - {business_date: 2026-09-02, sku: B, location_code: P1, on_hand: 5, available: 3}
        - {business_date: 2026-09-02, sku: B, location_code: T1, on_hand: 5}
        - {business_date: 2026-09-02, sku: C, location_code: P1, on_hand: 0}
        - {business_date: 2026-09-09, sku: C, location_code: P1, on_hand: 0}
        - {business_date: 2026-09-10, sku: C, location_code: P1, on_hand: 6}
        - {business_date: 2026-09-01, sku: D, location_code: P1, on_hand: 0}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10, available: 10, balance_cost: 2, days_since_balance: 0, is_listed: true}
      - {business_date: 2026-09-01, sku: D, location_code: P1, on_hand: 0, is_listed: true}
      - {business_date: 2026-09-02, sku: A, location_code: P1, on_hand: -4, balance_cost: 2, is_stale: false}
      - {business_date: 2026-09-02, sku: B, location_code: P1, on_hand: 5, available: 3}
      - {business_date: 2026-09-09, sku: A, location_code: P1, on_hand: -4, days_since_balance: 7, is_stale: false, is_listed: false}
      - {business_date: 2026-09-09, sku: B, location_code: P1, on_hand: 5}
      - {business_date: 2026-09-09, sku: C, location_code: P1, on_hand: 0, is_listed: true}
      - {business_date: 2026-09-10, sku: A, location_code: P1, on_hand: null, is_stale: true, is_listed: false}
      - {business_date: 2026-09-10, sku: B, location_code: P1, on_hand: null, available: null, days_since_balance: 8, is_stale: true}
      - {business_date: 2026-09-10, sku: C, location_code: P1, on_hand: 6, is_book: false}
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-01}
        - {business_date: 2026-09-02}
        - {business_date: 2026-09-03}
        - {business_date: 2026-11-20}
      inventory_curated.stock_snapshots:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 10, available: 8}
        - {business_date: 2026-09-01, sku: B, location_code: P1, on_hand: 10}
      inventory_curated.stock_movements:
        - {document: "1", line_number: 1, business_date: 2026-09-02, movement_type: receipt, sku: A, location_code: P1, quantity: 6}
        - {document: "2", line_number: 1, business_date: 2026-09-02, movement_type: issue, sku: B, location_code: P1, quantity: -3}
        - {document: "3", line_number: 1, business_date: 2026-09-01, movement_type: receipt, sku: A, location_code: P1, quantity: 99}
      inventory_curated.sales:
        - {receipt_number: "1", line_number: 1, business_date: 2026-09-02, sku: A, location_code: P1, quantity: 2}
        - {receipt_number: "2", line_number: 1, business_date: 2026-09-02, sku: B, location_code: P1, quantity: 3}
        - {receipt_number: "3", line_number: 1, business_date: 2026-09-03, sku: B, location_code: P1, quantity: 1}
        - {receipt_number: "4", line_number: 1, business_date: 2026-11-20, sku: B, location_code: P1, quantity: 1}
    expect:
      - {business_date: 2026-09-01, sku: A, on_hand: 10, available: 8, is_book: false}
      - {business_date: 2026-09-01, sku: B, on_hand: 10}
      - {business_date: 2026-09-02, sku: A, on_hand: 14, available: 12, is_book: true, days_since_balance: 1}
      - {business_date: 2026-09-02, sku: B, on_hand: 7, is_book: true}
      - {business_date: 2026-09-03, sku: A, on_hand: 14}
      - {business_date: 2026-09-03, sku: B, on_hand: 6}
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
shelves AS (
  SELECT
    balance.sku,
    balance.location_code,
    MIN(balance.business_date) AS first_day,
    GREATEST(
      COALESCE(MAX(product.listed_from), DATE '0001-01-01'), COALESCE(MAX(location.opened_on), DATE '0001-01-01')
    ) AS listed_on,
    LEAST(
      COALESCE(MAX(product.delisted_on), DATE '9999-12-31'), COALESCE(MAX(location.closed_on), DATE '9999-12-31')
    ) AS delisted_on
  FROM inventory_curated.stock_snapshots AS balance
  LEFT JOIN inventory_curated.products AS product ON product.sku = balance.sku
  LEFT JOIN inventory_curated.locations AS location ON location.location_code = balance.location_code
  WHERE COALESCE(location.type, 'store') NOT IN ('transit', 'virtual')
  GROUP BY balance.sku, balance.location_code
),
spine AS (
  SELECT
    calendar.business_date,
    shelves.sku,
    shelves.location_code,
    calendar.business_date >= shelves.listed_on AND calendar.business_date < shelves.delisted_on AS is_listed
  FROM shelves
  JOIN inventory_kpi.calendar AS calendar ON calendar.business_date >= shelves.first_day
  JOIN inventory_curated.known_days AS known
    ON known.horizon = 'stock' AND calendar.business_date <= known.last_day
),
whole_days AS (
  SELECT DISTINCT business_date, location_code
  FROM inventory_curated.stock_snapshots
  WHERE /* stock_snapshots.wholeLocationDay */ 0 = 1
),
stated AS (
  SELECT
    spine.business_date,
    spine.sku,
    spine.location_code,
    spine.is_listed,
    IF(balance.sku IS NULL AND whole_day.location_code IS NULL, NULL, spine.business_date) AS balance_date,
    IF(balance.sku IS NULL AND whole_day.location_code IS NOT NULL, NUMERIC '0', balance.on_hand) AS on_hand,
    IF(
      balance.sku IS NULL AND whole_day.location_code IS NOT NULL,
      NUMERIC '0',
      COALESCE(balance.available, balance.on_hand)
    ) AS available,
    balance.unit_cost,
    SUM(COALESCE(flow.moved, 0)) OVER (
      PARTITION BY spine.sku, spine.location_code ORDER BY spine.business_date
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS moved
  FROM spine
  LEFT JOIN inventory_curated.stock_snapshots AS balance
    ON balance.business_date = spine.business_date
    AND balance.sku = spine.sku
    AND balance.location_code = spine.location_code
  LEFT JOIN flows AS flow
    ON flow.business_date = spine.business_date
    AND flow.sku = spine.sku
    AND flow.location_code = spine.location_code
  LEFT JOIN whole_days AS whole_day
    ON whole_day.business_date = spine.business_date
    AND whole_day.location_code = spine.location_code
),
carried AS (
  SELECT
    business_date,
    sku,
    location_code,
    is_listed,
    LAST_VALUE(balance_date IGNORE NULLS) OVER latest AS balance_date,
    LAST_VALUE(on_hand - moved IGNORE NULLS) OVER latest + moved AS on_hand,
    LAST_VALUE(available - moved IGNORE NULLS) OVER latest + moved AS available,
    LAST_VALUE(IF(balance_date IS NULL, NULL, moved) IGNORE NULLS) OVER latest != moved AS is_book,
    LAST_VALUE(CAST(unit_cost AS FLOAT64) IGNORE NULLS) OVER latest AS balance_cost
  FROM stated
  WINDOW latest AS (
    PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)
    RANGE BETWEEN 400 PRECEDING AND CURRENT ROW
  )
),
aged AS (
  SELECT carried.*, DATE_DIFF(business_date, balance_date, DAY) AS days_since_balance
  FROM carried
  WHERE balance_date IS NOT NULL AND (is_listed OR on_hand != 0)
)
SELECT
  business_date,
  sku,
  location_code,
  days_since_balance,
  days_since_balance > /* stock_snapshots.carryForwardDays */ 7 AS is_stale,
  is_book,
  is_listed,
  IF(days_since_balance > /* stock_snapshots.carryForwardDays */ 7, NULL, CAST(on_hand AS FLOAT64)) AS on_hand,
  IF(days_since_balance > /* stock_snapshots.carryForwardDays */ 7, NULL, CAST(available AS FLOAT64)) AS available,
  balance_cost
FROM aged
