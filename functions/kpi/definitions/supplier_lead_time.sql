/*
title: Supplier lead time
description: >
  Days from order to receipt of what was received in the last 90 days and ordered in the last 270, weighted by
  quantity.
meaning: An order arrives after so many days.
formula: sum(received units x (received date - order date)) / sum(received units), received in the last 90 days
source: Odoo
unit: days
grain: [supplier_code]
owner: purchasing-analytics
lookback_days: 270
direction: down
rollup: ratio
examples:
  - given:
      inventory_kpi.calendar:
        - {business_date: 2026-09-30}
      inventory_curated.purchase_orders:
        - {order_number: "1", line_number: 1, business_date: 2026-09-01, supplier_code: S1, received_date: 2026-09-11, received_quantity: 30, ordered_quantity: 30, status: received}
        - {order_number: "1", line_number: 2, business_date: 2026-09-01, supplier_code: S1, received_date: 2026-09-21, received_quantity: 10, ordered_quantity: 20, status: partial}
        - {order_number: "2", line_number: 1, business_date: 2026-09-25, supplier_code: S1, ordered_quantity: 20, status: open}
    expect:
      - {business_date: 2026-09-30, supplier_code: S1, numerator: 500, denominator: 40, value: 12.5, receipts: 2}
*/
SELECT
  calendar.business_date,
  receipt.supplier_code,
  SUM(CAST(receipt.received_quantity AS FLOAT64) * DATE_DIFF(receipt.received_date, receipt.business_date, DAY)) AS numerator,
  SUM(CAST(receipt.received_quantity AS FLOAT64)) AS denominator,
  SUM(CAST(receipt.received_quantity AS FLOAT64) * DATE_DIFF(receipt.received_date, receipt.business_date, DAY))
    / SUM(CAST(receipt.received_quantity AS FLOAT64)) AS value,
  CAST(NULL AS STRING) AS reason_code,
  100.0 AS coverage_pct,
  COUNT(*) AS receipts
FROM inventory_kpi.calendar AS calendar
JOIN inventory_curated.purchase_orders AS receipt
  ON receipt.received_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
  AND receipt.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 270 DAY) AND calendar.business_date
WHERE receipt.received_quantity > 0 AND receipt.status != 'cancelled'
GROUP BY calendar.business_date, receipt.supplier_code
