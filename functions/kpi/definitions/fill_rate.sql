/*
title: Supplier fill rate
description: >
  Share of the ordered units, due in the last 90 days and ordered in the last 270, that had arrived on the day.
  More than ordered counts as ordered; cancelled lines are left out.
meaning: Suppliers delivered so much of what was due.
formula: sum(min(received by the day, ordered)) / sum(ordered), for lines promised in the last 90 days
source: beta fill rate, inventory theory texts
unit: share
grain: [supplier_code]
owner: purchasing-analytics
lookback_days: 270
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
    expect:
      - {business_date: 2026-09-30, supplier_code: S1, numerator: 30, denominator: 40, value: 0.75, due_lines: 2}
*/
SELECT
  calendar.business_date,
  due.supplier_code,
  SUM(
    IF(
      due.received_date <= calendar.business_date,
      LEAST(CAST(COALESCE(due.received_quantity, 0) AS FLOAT64), CAST(due.ordered_quantity AS FLOAT64)),
      0.0
    )
  ) AS numerator,
  SUM(CAST(due.ordered_quantity AS FLOAT64)) AS denominator,
  SUM(
    IF(
      due.received_date <= calendar.business_date,
      LEAST(CAST(COALESCE(due.received_quantity, 0) AS FLOAT64), CAST(due.ordered_quantity AS FLOAT64)),
      0.0
    )
  ) / NULLIF(SUM(CAST(due.ordered_quantity AS FLOAT64)), 0) AS value,
  IF(SUM(CAST(due.ordered_quantity AS FLOAT64)) = 0, 'no_demand', NULL) AS reason_code,
  100.0 AS coverage_pct,
  COUNT(*) AS due_lines
FROM inventory_kpi.calendar AS calendar
JOIN inventory_curated.purchase_orders AS due
  ON due.promised_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
  AND due.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 270 DAY) AND calendar.business_date
WHERE due.status != 'cancelled'
GROUP BY calendar.business_date, due.supplier_code
