/*
title: On time in full
description: >
  Share of the order lines due in the last 90 days and ordered in the last 270 that arrived complete on or before the
  promised day. Rejected units count as not received; cancelled lines, and the cancelled part of a line, are left out.
  Whether a quantity without a receipt date was on time is not known: such a line lowers the coverage.
meaning: "{value} of the order lines that were due arrived on time and complete."
french:
  title: "À l'heure et complet (OTIF)"
  description: >
    Part des lignes de commande, dues dans les 90 derniers jours et commandées dans les 270 derniers, arrivées
    complètes au plus tard le jour promis. Les unités refusées comptent comme non reçues ; les lignes annulées, et
    la part annulée d'une ligne, sont exclues. Si une quantité sans date de réception était à l'heure, nul ne le
    sait : une telle ligne baisse la couverture.
  meaning: "{value} des lignes de commande dues sont arrivées à l'heure et complètes."
formula: lines with received - rejected >= ordered - cancelled by the promised day / lines promised in the last 90 days
source: SCOR (perfect order, delivery part)
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
        - {order_number: "1", line_number: 1, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, received_date: 2026-09-10, received_quantity: 30, ordered_quantity: 30}
        - {order_number: "1", line_number: 2, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, received_date: 2026-09-11, received_quantity: 10, ordered_quantity: 10}
        - {order_number: "1", line_number: 3, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, received_date: 2026-09-09, received_quantity: 10, rejected_quantity: 1, ordered_quantity: 10}
        - {order_number: "1", line_number: 4, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, received_date: 2026-09-09, received_quantity: 8, cancelled_quantity: 2, ordered_quantity: 10}
        - {order_number: "1", line_number: 5, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, received_quantity: 8, ordered_quantity: 8}
        - {order_number: "1", line_number: 6, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-09-10, ordered_quantity: 8, status: cancelled}
        - {order_number: "1", line_number: 7, business_date: 2026-09-01, supplier_code: S1, promised_date: 2026-10-01, ordered_quantity: 8}
        - {order_number: "2", line_number: 1, business_date: 2026-09-01, supplier_code: S2, promised_date: 2026-09-10, received_quantity: 9, ordered_quantity: 9}
        - {order_number: "3", line_number: 1, business_date: 2026-09-01, supplier_code: S3, promised_date: 2026-09-10, ordered_quantity: 9}
    expect:
      - {business_date: 2026-09-30, supplier_code: S1, numerator: 2, denominator: 4, value: 0.5, reason_code: null, coverage_pct: 80}
      - {business_date: 2026-09-30, supplier_code: S2, numerator: null, denominator: null, value: null, reason_code: no_receipt_date, coverage_pct: 0}
      - {business_date: 2026-09-30, supplier_code: S3, numerator: 0, denominator: 1, value: 0, coverage_pct: 100}
*/
WITH lines AS (
  SELECT
    supplier_code,
    business_date,
    promised_date,
    received_date,
    received_date IS NOT NULL OR COALESCE(received_quantity, 0) <= 0 AS is_known,
    COALESCE(received_quantity, 0) - COALESCE(rejected_quantity, 0)
      >= ordered_quantity - COALESCE(cancelled_quantity, 0) AS is_full
  FROM inventory_curated.purchase_orders
  WHERE promised_date IS NOT NULL
    AND COALESCE(status, 'open') != 'cancelled'
    AND ordered_quantity > COALESCE(cancelled_quantity, 0)
),
by_supplier AS (
  SELECT
    calendar.business_date,
    lines.supplier_code,
    COUNTIF(lines.is_known AND lines.is_full AND lines.received_date <= lines.promised_date) AS good_lines,
    NULLIF(COUNTIF(lines.is_known), 0) AS known_lines,
    COUNT(*) AS due_lines
  FROM inventory_kpi.calendar AS calendar
  JOIN lines
    ON lines.promised_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
    AND lines.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 270 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, lines.supplier_code
)
SELECT
  business_date,
  supplier_code,
  CAST(IF(known_lines IS NULL, NULL, good_lines) AS FLOAT64) AS numerator,
  CAST(known_lines AS FLOAT64) AS denominator,
  good_lines / known_lines AS value,
  IF(known_lines IS NULL, 'no_receipt_date', NULL) AS reason_code,
  100 * COALESCE(known_lines, 0) / due_lines AS coverage_pct,
  due_lines
FROM by_supplier
