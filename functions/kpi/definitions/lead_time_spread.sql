/*
title: Lead time spread
description: >
  Standard deviation of the days from order to receipt, of what was received in the last 90 days and ordered in the last
  270, weighted by quantity. One receipt has no spread. Receipts without a date are left out and lower the coverage.
meaning: "Deliveries typically arrive {value} days earlier or later than average."
french:
  title: "Dispersion des délais"
  description: >
    Écart-type des jours entre commande et réception, pour ce qui a été reçu dans les 90 derniers jours et commandé
    dans les 270 derniers, pondéré par la quantité. Une seule réception n'a pas de dispersion. Les réceptions sans
    date sont exclues et baissent la couverture.
  meaning: "Les livraisons arrivent en général {value} jours avant ou après la moyenne."
formula: square root of sum(units x (days - average days)^2) / sum(units); rolls up weighted by units
source: Odoo; King, APICS 2011 (input of the safety stock)
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
        - {order_number: "1", line_number: 1, business_date: 2026-09-01, supplier_code: S1, received_date: 2026-09-11, received_quantity: 30, ordered_quantity: 30}
        - {order_number: "1", line_number: 2, business_date: 2026-09-01, supplier_code: S1, received_date: 2026-09-19, received_quantity: 10, ordered_quantity: 20}
        - {order_number: "2", line_number: 1, business_date: 2026-09-25, supplier_code: S1, received_quantity: 10, ordered_quantity: 20}
        - {order_number: "3", line_number: 1, business_date: 2026-09-25, supplier_code: S2, received_date: 2026-09-28, received_quantity: 10, ordered_quantity: 10}
    expect:
      - {business_date: 2026-09-30, supplier_code: S1, numerator: 138.5640646, denominator: 40, value: 3.4641016, reason_code: null, coverage_pct: 80, average_days: 12, receipts: 2}
      - {business_date: 2026-09-30, supplier_code: S2, numerator: null, denominator: null, value: null, reason_code: one_receipt, coverage_pct: 100, average_days: 3}
*/
WITH arrivals AS (
  SELECT
    supplier_code,
    business_date,
    received_date,
    CAST(received_quantity AS FLOAT64) AS units,
    DATE_DIFF(received_date, business_date, DAY) AS days
  FROM inventory_curated.purchase_orders
  WHERE received_quantity > 0 AND COALESCE(status, 'open') != 'cancelled'
),
by_supplier AS (
  SELECT
    calendar.business_date,
    arrivals.supplier_code,
    SUM(arrivals.units) AS all_units,
    SUM(IF(arrivals.days IS NULL, NULL, arrivals.units)) AS units,
    SUM(arrivals.units * arrivals.days) AS unit_days,
    SUM(arrivals.units * arrivals.days * arrivals.days) AS unit_squares,
    COUNT(arrivals.days) AS receipts
  FROM inventory_kpi.calendar AS calendar
  JOIN arrivals
    ON COALESCE(arrivals.received_date, arrivals.business_date)
      BETWEEN DATE_SUB(calendar.business_date, INTERVAL 89 DAY) AND calendar.business_date
    AND arrivals.business_date BETWEEN DATE_SUB(calendar.business_date, INTERVAL 270 DAY) AND calendar.business_date
  GROUP BY calendar.business_date, arrivals.supplier_code
),
-- rounded before the root: receipts that all took as long have no spread, whatever the order of summing
spread AS (
  SELECT
    by_supplier.*,
    IF(
      receipts > 1,
      SQRT(GREATEST(ROUND(unit_squares / units - POW(unit_days / units, 2), 6), 0)),
      NULL
    ) AS deviation
  FROM by_supplier
)
SELECT
  business_date,
  supplier_code,
  deviation * units AS numerator,
  IF(deviation IS NULL, NULL, units) AS denominator,
  deviation AS value,
  CASE WHEN receipts = 0 THEN 'no_receipt_date' WHEN receipts = 1 THEN 'one_receipt' END AS reason_code,
  COALESCE(100 * units / all_units, 0.0) AS coverage_pct,
  unit_days / units AS average_days,
  receipts
FROM spread
