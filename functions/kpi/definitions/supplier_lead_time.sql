/*
title: Supplier lead time
description: >
  Days from order to receipt of what was received in the last 90 days and ordered in the last 270, weighted by
  quantity. Receipts without a date are left out; the coverage is the share of the received units that have one.
meaning: "An order arrives after {value} days on average."
french:
  title: "Délai de livraison des fournisseurs"
  description: >
    Jours entre commande et réception, pour ce qui a été reçu dans les 90 derniers jours et commandé dans les 270
    derniers, pondérés par la quantité. Les réceptions sans date sont exclues ; la couverture est la part des unités
    reçues qui en ont une.
  meaning: "Une commande arrive après {value} jours en moyenne."
formula: sum(received units x (received date - order date)) / sum(received units), received in the last 90 days
source: Odoo
unit: days
grain: [supplier_code]
owner: purchasing-analytics
lookback_days: 270
horizon: orders
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
        - {order_number: "3", line_number: 1, business_date: 2026-09-25, supplier_code: S1, received_quantity: 10, ordered_quantity: 10}
        - {order_number: "4", line_number: 1, business_date: 2026-09-25, supplier_code: S2, received_quantity: 10, ordered_quantity: 10}
    expect:
      - {business_date: 2026-09-30, supplier_code: S1, numerator: 500, denominator: 40, value: 12.5, receipts: 2, coverage_pct: 80}
      - {business_date: 2026-09-30, supplier_code: S2, numerator: null, denominator: null, value: null, reason_code: no_receipt_date, receipts: 0, coverage_pct: 0}
*/
WITH by_supplier AS (
  SELECT
    calendar.business_date,
    receipt.supplier_code,
    SUM(
      CAST(receipt.received_quantity AS FLOAT64) * DATE_DIFF(receipt.received_date, receipt.business_date, DAY)
    ) AS unit_days,
    SUM(IF(receipt.received_date IS NULL, NULL, CAST(receipt.received_quantity AS FLOAT64))) AS dated_units,
    SUM(CAST(receipt.received_quantity AS FLOAT64)) AS units,
    COUNT(receipt.received_date) AS receipts
  FROM inventory_kpi.calendar AS calendar
  JOIN inventory_curated.purchase_orders AS receipt
    ON COALESCE(receipt.received_date, receipt.business_date)
      BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
    AND receipt.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 270 DAY) AND calendar.business_date
  WHERE receipt.received_quantity > 0 AND COALESCE(receipt.status, 'open') != 'cancelled'
  GROUP BY calendar.business_date, receipt.supplier_code
)
SELECT
  business_date,
  supplier_code,
  unit_days AS numerator,
  dated_units AS denominator,
  unit_days / dated_units AS value,
  IF(receipts = 0, 'no_receipt_date', NULL) AS reason_code,
  COALESCE(100 * dated_units / units, 0.0) AS coverage_pct,
  receipts
FROM by_supplier
