/*
title: Customer fill rate
description: >
  Share of the units that customers ordered, due in the last 28 days and ordered in the last 180, that were shipped by the
  day they were due: the requested date, else as many days after the order as the contract of customer_orders says
  (promisedDays). More than ordered counts as ordered; what was shipped later counts as not served. What was cancelled is
  left out, unless it was cancelled because there was no stock. A line whose shipment, or whose day of shipment, is not
  known yet is left out, too, and lowers the coverage. By lines: full_lines / due_lines.
meaning: "{value} of the units that customers ordered were shipped in time."
french:
  title: "Taux de service client"
  description: >
    Part des unités commandées par les clients, dues dans les 28 derniers jours et commandées dans les 180 derniers, qui
    étaient expédiées au plus tard le jour dû : la date demandée, sinon autant de jours après la commande que le dit le
    contrat de customer_orders (promisedDays). Au-delà du commandé, seul le commandé compte ; ce qui part plus tard compte
    comme non servi. Ce qui est annulé est exclu, sauf si c'est faute de stock. Une ligne dont l'expédition, ou le jour
    d'expédition, n'est pas encore connue est exclue aussi et baisse la couverture. Par lignes : full_lines / due_lines.
  meaning: "{value} des unités commandées par les clients ont été expédiées à temps."
formula: sum(min(shipped by the due day, ordered - cancelled)) / sum(ordered - cancelled), for lines due in the last 28 days
source: "volume fill rate (P2, beta service): Silver, Pyke and Thomas, Inventory and Production Management in Supply Chains, 2017"
unit: share
grain: [sku, location_code]
owner: inventory-analytics
lookback_days: 180
horizon: customer_orders
direction: up
rollup: ratio
thresholds: {low: 0.95}
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
      inventory_curated.products:
        - {sku: A, category: tools}
      inventory_curated.customer_orders:
        # A at P1: one line whole, one more than ordered, one in part, one late, one not at all
        - {order_number: "1", line_number: 1, business_date: 2026-09-10, sku: A, location_code: P1, ordered_quantity: 4, shipped_quantity: 4, shipped_date: 2026-09-12}
        - {order_number: "1", line_number: 2, business_date: 2026-09-10, sku: A, location_code: P1, ordered_quantity: 2, shipped_quantity: 3, shipped_date: 2026-09-10}
        - {order_number: "2", line_number: 1, business_date: 2026-09-10, sku: A, location_code: P1, ordered_quantity: 5, shipped_quantity: 3, shipped_date: 2026-09-11}
        - {order_number: "3", line_number: 1, business_date: 2026-09-10, sku: A, location_code: P1, ordered_quantity: 6, shipped_quantity: 6, shipped_date: 2026-09-13}
        - {order_number: "4", line_number: 1, business_date: 2026-09-10, sku: A, location_code: P1, ordered_quantity: 3, shipped_quantity: 0}
        # due only tomorrow, and due too long ago: neither counts
        - {order_number: "5", line_number: 1, business_date: 2026-09-29, sku: A, location_code: P1, ordered_quantity: 9, shipped_quantity: 9, shipped_date: 2026-09-29}
        - {order_number: "6", line_number: 1, business_date: 2026-08-31, sku: A, location_code: P1, ordered_quantity: 9, shipped_quantity: 9, shipped_date: 2026-08-31}
        # B: cancelled by the customer, in part and whole; cancelled for want of stock: still wanted
        - {order_number: "7", line_number: 1, business_date: 2026-09-20, sku: B, location_code: P1, ordered_quantity: 10, cancelled_quantity: 4, cancel_reason: customer, shipped_quantity: 6, shipped_date: 2026-09-20}
        - {order_number: "7", line_number: 2, business_date: 2026-09-20, sku: B, location_code: P1, ordered_quantity: 7, cancelled_quantity: 7, shipped_quantity: 0, status: cancelled}
        - {order_number: "8", line_number: 1, business_date: 2026-09-20, sku: B, location_code: P1, ordered_quantity: 2, cancelled_quantity: 2, cancel_reason: no_stock, shipped_quantity: 0}
        # C: shipped in two parts, the first in time; the requested day is later than the usual one
        - {order_number: "9", line_number: 1, business_date: 2026-09-01, requested_date: 2026-09-15, sku: C, location_code: WEB, ordered_quantity: 10, shipped_quantity: 10, shipped_on_time_quantity: 8, shipped_date: 2026-09-21}
        - {order_number: "9", line_number: 2, business_date: 2026-09-01, requested_date: 2026-09-15, sku: C, location_code: WEB, ordered_quantity: 2, shipped_quantity: 2, shipped_date: 2026-09-15}
        # requested before it was ordered: due on the day of the order
        - {order_number: "10", line_number: 1, business_date: 2026-09-10, requested_date: 2026-09-01, sku: C, location_code: WEB, ordered_quantity: 8, shipped_quantity: 8, shipped_date: 2026-09-10}
    expect:
      - {business_date: 2026-09-30, sku: A, location_code: P1, category: tools, numerator: 9, denominator: 20, value: 0.45, reason_code: null, coverage_pct: 100, due_lines: 5, full_lines: 2}
      - {business_date: 2026-09-30, sku: B, location_code: P1, numerator: 6, denominator: 8, value: 0.75, due_lines: 2, full_lines: 1}
      - {business_date: 2026-09-30, sku: C, location_code: WEB, numerator: 18, denominator: 20, value: 0.9, due_lines: 3, full_lines: 2}
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
      inventory_curated.customer_orders:
        # not known yet is not 0 %: it is in the coverage
        - {order_number: "1", line_number: 1, business_date: 2026-09-28, sku: A, location_code: P1, ordered_quantity: 6, shipped_quantity: 3, shipped_date: 2026-09-28}
        - {order_number: "1", line_number: 2, business_date: 2026-09-28, sku: A, location_code: P1, ordered_quantity: 2}
        - {order_number: "2", line_number: 1, business_date: 2026-09-28, sku: B, location_code: P1, ordered_quantity: 2}
        - {order_number: "3", line_number: 1, business_date: 2026-09-28, sku: C, location_code: P1, ordered_quantity: 2, shipped_quantity: 2}
        - {order_number: "4", line_number: 1, business_date: 2026-09-28, sku: D, location_code: P1, ordered_quantity: 0, shipped_quantity: 0}
        - {order_number: "5", line_number: 1, business_date: 2026-09-28, sku: E, location_code: P1, ordered_quantity: 5, cancelled_quantity: 5, shipped_quantity: 0, status: cancelled}
        - {order_number: "6", line_number: 1, business_date: 2026-09-28, sku: F, location_code: P1, ordered_quantity: 5, shipped_quantity: 0}
    expect:
      - {business_date: 2026-09-30, sku: A, location_code: P1, numerator: 3, denominator: 6, value: 0.5, reason_code: null, coverage_pct: 75, due_lines: 1, full_lines: 0}
      - {business_date: 2026-09-30, sku: B, location_code: P1, numerator: null, denominator: null, value: null, reason_code: no_shipment, coverage_pct: 0, due_lines: 0}
      - {business_date: 2026-09-30, sku: C, location_code: P1, numerator: null, denominator: null, value: null, reason_code: no_ship_date, coverage_pct: 0}
      - {business_date: 2026-09-30, sku: D, location_code: P1, numerator: null, denominator: null, value: null, reason_code: no_demand, coverage_pct: 100, due_lines: 0}
      - {business_date: 2026-09-30, sku: E, location_code: P1, value: null, reason_code: no_demand}
      - {business_date: 2026-09-30, sku: F, location_code: P1, numerator: 0, denominator: 5, value: 0, reason_code: null, coverage_pct: 100, due_lines: 1, full_lines: 0}
*/
WITH lines AS (
  SELECT
    business_date,
    sku,
    location_code,
    shipped_date,
    GREATEST(
      COALESCE(requested_date, DATE_ADD(business_date, INTERVAL /* customer_orders.promisedDays */ 2 DAY)), business_date
    ) AS due_on,
    CAST(
      GREATEST(ordered_quantity - IF(COALESCE(cancel_reason, '') = 'no_stock', 0, COALESCE(cancelled_quantity, 0)), 0)
      AS FLOAT64
    ) AS wanted,
    CAST(shipped_quantity AS FLOAT64) AS shipped,
    CAST(shipped_on_time_quantity AS FLOAT64) AS stated_on_time
  FROM inventory_curated.customer_orders
),
served AS (
  SELECT
    lines.*,
    CASE
      WHEN stated_on_time IS NOT NULL THEN LEAST(stated_on_time, wanted)
      WHEN shipped <= 0 OR shipped_date > due_on THEN 0.0
      WHEN shipped IS NOT NULL AND shipped_date <= due_on THEN LEAST(shipped, wanted)
    END AS on_time
  FROM lines
),
by_cell AS (
  SELECT
    calendar.business_date,
    served.sku,
    served.location_code,
    SUM(served.on_time) AS on_time,
    NULLIF(SUM(IF(served.on_time IS NULL, 0.0, served.wanted)), 0) AS known,
    SUM(served.wanted) AS wanted,
    COUNTIF(served.wanted > 0 AND served.shipped IS NOT NULL) AS told_lines,
    COUNTIF(served.on_time IS NOT NULL AND served.wanted > 0) AS due_lines,
    COUNTIF(served.on_time >= served.wanted AND served.wanted > 0) AS full_lines
  FROM inventory_kpi.calendar AS calendar
  JOIN served
    ON served.due_on BETWEEN DATE_SUB(calendar.business_date, INTERVAL 27 DAY) AND calendar.business_date
    AND served.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 180 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, served.sku, served.location_code
)
SELECT
  cell.business_date,
  cell.sku,
  cell.location_code,
  product.category,
  IF(cell.known IS NULL, NULL, cell.on_time) AS numerator,
  cell.known AS denominator,
  cell.on_time / cell.known AS value,
  CASE
    WHEN cell.known IS NOT NULL THEN NULL
    WHEN cell.wanted = 0 THEN 'no_demand'
    WHEN cell.told_lines = 0 THEN 'no_shipment'
    ELSE 'no_ship_date'
  END AS reason_code,
  COALESCE(100 * COALESCE(cell.known, 0) / NULLIF(cell.wanted, 0), 100.0) AS coverage_pct,
  cell.due_lines,
  cell.full_lines
FROM by_cell AS cell
LEFT JOIN inventory_curated.products_by_day AS product
  ON product.sku = cell.sku AND cell.business_date BETWEEN product.valid_from AND product.valid_to
