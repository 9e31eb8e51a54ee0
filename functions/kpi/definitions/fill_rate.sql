/*
title: Supplier fill rate
description: >
  Share of the ordered units, due in the last 90 days and ordered in the last 270, that had arrived on the day. More than
  ordered counts as ordered; rejected units count as not received. Cancelled lines, and the cancelled part of a line, are
  left out. A received quantity without a receipt date has arrived. The coverage is the share of the units whose line
  has a promised date.
meaning: "Suppliers delivered {value} of the units that were due."
french:
  title: "Taux de service des fournisseurs"
  description: >
    Part des unités commandées, dues dans les 90 derniers jours et commandées dans les 270 derniers, qui étaient
    arrivées ce jour. Au-delà du commandé, seul le commandé compte ; les unités refusées comptent comme non reçues.
    Les lignes annulées, et la part annulée d'une ligne, sont exclues. Une quantité reçue sans date de réception est
    arrivée. La couverture est la part des unités dont la ligne a une date promise.
  meaning: "Les fournisseurs ont livré {value} des unités dues."
formula: sum(min(received - rejected by the day, ordered - cancelled)) / sum(ordered - cancelled), for lines promised in the last 90 days
source: beta fill rate, inventory theory texts
unit: share
grain: [supplier_code]
owner: purchasing-analytics
lookback_days: 270
horizon: orders
direction: up
rollup: ratio
thresholds: {low: 0.9}
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
      inventory_curated.purchase_orders:
        - {order_number: "1", line_number: 1, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, received_date: 2026-09-11, received_quantity: 35, ordered_quantity: 30, status: received}
        - {order_number: "1", line_number: 2, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, ordered_quantity: 10, status: open}
        - {order_number: "1", line_number: 3, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, ordered_quantity: 99, status: cancelled}
        - {order_number: "2", line_number: 1, business_date: 2026-09-01, supplier_code: S2, promised_date: 2026-09-10, received_quantity: 9, ordered_quantity: 10}
        - {order_number: "3", line_number: 1, business_date: 2026-09-01, supplier_code: S3, promised_date: 2026-09-10, received_date: 2026-09-10, received_quantity: 10, rejected_quantity: 4, ordered_quantity: 20, cancelled_quantity: 8, status: received}
        - {order_number: "3", line_number: 2, business_date: 2026-09-01, supplier_code: S3, received_date: 2026-09-10, received_quantity: 3, ordered_quantity: 4}
        - {order_number: "4", line_number: 1, business_date: 2026-09-01, supplier_code: S4, ordered_quantity: 4}
    expect:
      - {business_date: 2026-09-30, supplier_code: S1, numerator: 30, denominator: 40, value: 0.75, due_lines: 2, coverage_pct: 100}
      - {business_date: 2026-09-30, supplier_code: S2, numerator: 9, denominator: 10, value: 0.9}
      - {business_date: 2026-09-30, supplier_code: S3, numerator: 6, denominator: 12, value: 0.5, due_lines: 1, coverage_pct: 75}
      - {business_date: 2026-09-30, supplier_code: S4, numerator: null, denominator: null, value: null, reason_code: no_promised_date, due_lines: 0, coverage_pct: 0}
*/
WITH lines AS (
  SELECT
    supplier_code,
    business_date,
    promised_date,
    received_date,
    CAST(GREATEST(COALESCE(received_quantity, 0) - COALESCE(rejected_quantity, 0), 0) AS FLOAT64) AS received,
    CAST(GREATEST(ordered_quantity - COALESCE(cancelled_quantity, 0), 0) AS FLOAT64) AS due
  FROM inventory_curated.purchase_orders
  WHERE COALESCE(status, 'open') != 'cancelled'
),
by_supplier AS (
  SELECT
    calendar.business_date,
    lines.supplier_code,
    SUM(
      IF(
        lines.promised_date IS NULL OR lines.received_date > calendar.business_date,
        0.0,
        LEAST(lines.received, lines.due)
      )
    ) AS filled,
    SUM(IF(lines.promised_date IS NULL, 0.0, lines.due)) AS due,
    SUM(lines.due) AS ordered,
    COUNT(lines.promised_date) AS due_lines
  FROM inventory_kpi.calendar AS calendar
  JOIN lines
    ON COALESCE(lines.promised_date, lines.business_date)
      BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
    AND lines.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 270 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, lines.supplier_code
)
SELECT
  business_date,
  supplier_code,
  IF(due > 0, filled, NULL) AS numerator,
  NULLIF(due, 0) AS denominator,
  filled / NULLIF(due, 0) AS value,
  CASE WHEN due_lines = 0 THEN 'no_promised_date' WHEN due = 0 THEN 'no_demand' END AS reason_code,
  COALESCE(100 * due / NULLIF(ordered, 0), 100.0) AS coverage_pct,
  due_lines
FROM by_supplier
