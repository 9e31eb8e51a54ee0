/*
title: Inventory ageing
description: >
  Mean age of the stock, first in first out: what is in stock are the newest receipts that add up to it, never more. Only
  goods receipts count, so a transfer between locations keeps the receipt's date; therefore the grain is the SKU over all
  locations. A reversal takes back the receipt of the same quantity, else the newest units received before it. What is
  older than the oldest known receipt has an unknown age, not zero.
meaning: "A unit has been in stock for {value} days on average."
french:
  title: "Ancienneté du stock"
  description: >
    Âge moyen du stock, premier entré, premier sorti : ce qui est en stock, ce sont les dernières réceptions dont la
    somme l'atteint, jamais plus. Seules les réceptions de marchandise comptent : un transfert entre emplacements
    garde donc la date de réception, et le chiffre est donné par référence, tous emplacements confondus. Une
    annulation reprend la réception de même quantité, sinon les dernières unités reçues avant elle. Ce qui est plus
    vieux que la première réception connue a un âge inconnu, pas zéro.
  meaning: "Une unité est en stock depuis {value} jours en moyenne."
formula: sum(units x days since receipt) / sum(units), over the FIFO layers whose receipt is known
source: ERPNext FIFO queue
unit: days
grain: [sku]
owner: inventory-analytics
lookback_days: 3650
input_lookback_days: {inventory_kpi.stock_daily: 0}
direction: down
rollup: ratio
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-30, sku: A, location_code: P1, category: tools, on_hand: 12}
        - {business_date: 2026-09-30, sku: A, location_code: P2, category: tools, on_hand: 3}
        - {business_date: 2026-09-30, sku: B, location_code: P1, category: tools, on_hand: 0}
        - {business_date: 2026-09-30, sku: C, location_code: P1, on_hand: 80}
        - {business_date: 2026-09-15, sku: C, location_code: P1, on_hand: 180}
        - {business_date: 2026-09-30, sku: D, location_code: P1, on_hand: 50}
        - {business_date: 2026-09-30, sku: E, location_code: P1, on_hand: 70}
      inventory_kpi.goods_receipts:
        - {document: "1", line_number: 1, business_date: 2026-09-20, sku: A, quantity: 10}
        - {document: "2", line_number: 1, business_date: 2026-08-01, sku: A, quantity: 3}
        - {document: "3", line_number: 1, business_date: 2026-06-01, sku: C, location_code: P1, quantity: 100}
        - {document: "4", line_number: 1, business_date: 2026-09-18, sku: C, location_code: P1, quantity: -100}
        - {document: "5", line_number: 1, business_date: 2026-09-10, sku: C, location_code: P1, quantity: 80}
        - {document: "6", line_number: 1, business_date: 2026-06-01, sku: D, location_code: P1, quantity: 100}
        - {document: "7", line_number: 1, business_date: 2026-09-10, sku: D, location_code: P1, quantity: 50}
        - {document: "8", line_number: 1, business_date: 2026-09-11, sku: D, location_code: P1, quantity: -100}
        - {document: "9", line_number: 1, business_date: 2026-08-21, sku: E, location_code: P1, quantity: 100}
        - {document: "10", line_number: 1, business_date: 2026-08-22, sku: E, location_code: P1, quantity: -30}
    expect:
      - {business_date: 2026-09-30, sku: A, numerator: 280, denominator: 13, units_0_30: 10, units_31_60: 3, units_unknown: 2, coverage_pct: 86.666667, first_received_on: 2026-08-01, last_received_on: 2026-09-20}
      - {business_date: 2026-09-30, sku: B, numerator: null, denominator: null, value: null, reason_code: no_stock, first_received_on: null}
      - {business_date: 2026-09-30, sku: C, denominator: 80, value: 20, coverage_pct: 100, units_91_180: 0, units_unknown: 0}
      - {business_date: 2026-09-15, sku: C, denominator: 180, value: 61.111111, coverage_pct: 100, last_received_on: 2026-09-10}
      - {business_date: 2026-09-30, sku: D, denominator: 50, value: 20, coverage_pct: 100, first_received_on: 2026-06-01, last_received_on: 2026-09-10}
      - {business_date: 2026-09-30, sku: E, denominator: 70, value: 40, coverage_pct: 100}
*/
WITH stock AS (
  SELECT business_date, sku, MAX(category) AS category, GREATEST(SUM(on_hand), 0) AS units
  FROM inventory_kpi.stock_daily
  WHERE on_hand IS NOT NULL
  GROUP BY business_date, sku
),
-- A reversal cancels the newest earlier receipt of the same quantity of that SKU at that location: the receipt then ends
-- on the day of its reversal. Receipts and reversals nest like brackets.
receipts AS (
  SELECT
    sku,
    location_code,
    business_date,
    document,
    line_number,
    quantity,
    SUM(SIGN(quantity)) OVER (
      PARTITION BY sku, location_code, ABS(quantity) ORDER BY business_date, quantity DESC, document, line_number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS open_receipts
  FROM inventory_kpi.goods_receipts
),
-- at one depth they alternate, so each reversal follows its receipt
paired AS (
  SELECT
    receipts.*,
    LEAD(business_date) OVER one_depth AS next_date,
    LAG(business_date) OVER one_depth AS previous_date
  FROM receipts
  WINDOW one_depth AS (
    PARTITION BY sku, location_code, ABS(quantity), open_receipts + IF(quantity < 0, 1, 0)
    ORDER BY business_date, quantity DESC, document, line_number
  )
),
-- a reversal of no such receipt (of a part, or of one that is older than the data) stays as a layer of negative units
received AS (
  SELECT
    sku,
    business_date AS received_on,
    IF(quantity > 0, next_date, NULL) AS reversed_on,
    SUM(CAST(quantity AS FLOAT64)) AS units
  FROM paired
  WHERE quantity > 0 OR previous_date IS NULL
  GROUP BY sku, received_on, reversed_on
),
first_ones AS (
  SELECT sku, MIN(business_date) AS received_on FROM receipts WHERE quantity > 0 GROUP BY sku
),
-- the height of all layers after each receipt; negative ones take from the top
stacked AS (
  SELECT
    stock.business_date,
    stock.sku,
    stock.units AS stock_units,
    received.received_on,
    received.units,
    SUM(received.units) OVER (
      PARTITION BY stock.business_date, stock.sku ORDER BY received.received_on, received.units DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS height
  FROM stock
  JOIN received
    ON received.sku = stock.sku
    AND received.received_on <= stock.business_date
    AND (received.reversed_on IS NULL OR received.reversed_on > stock.business_date)
),
-- what is left of a layer is what no later height went below
standing AS (
  SELECT
    business_date,
    sku,
    stock_units,
    received_on,
    GREATEST(
      0,
      LEAST(
        units,
        MIN(height) OVER (
          PARTITION BY business_date, sku ORDER BY received_on, units DESC
          ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) - (height - units)
      )
    ) AS units
  FROM stacked
),
layers AS (
  SELECT
    business_date,
    sku,
    DATE_DIFF(business_date, received_on, DAY) AS age,
    GREATEST(
      0,
      LEAST(
        units,
        stock_units - (
          SUM(units) OVER (
            PARTITION BY business_date, sku ORDER BY received_on DESC, units
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
          ) - units
        )
      )
    ) AS units
  FROM standing
),
newest AS (
  SELECT business_date, sku, MAX(IF(units > 0, received_on, NULL)) AS received_on
  FROM stacked
  GROUP BY business_date, sku
),
aged AS (
  SELECT
    business_date,
    sku,
    NULLIF(SUM(units), 0) AS known,
    SUM(units * age) AS unit_days,
    SUM(IF(age <= 30, units, 0)) AS units_0_30,
    SUM(IF(age BETWEEN 31 AND 60, units, 0)) AS units_31_60,
    SUM(IF(age BETWEEN 61 AND 90, units, 0)) AS units_61_90,
    SUM(IF(age BETWEEN 91 AND 180, units, 0)) AS units_91_180,
    SUM(IF(age > 180, units, 0)) AS units_181_plus
  FROM layers
  GROUP BY business_date, sku
)
SELECT
  stock.business_date,
  stock.sku,
  stock.category,
  IF(aged.known IS NULL, NULL, aged.unit_days) AS numerator,
  aged.known AS denominator,
  aged.unit_days / aged.known AS value,
  CASE WHEN stock.units = 0 THEN 'no_stock' WHEN aged.known IS NULL THEN 'missing_days' END AS reason_code,
  IF(stock.units = 0, 100.0, LEAST(100 * COALESCE(aged.known, 0) / stock.units, 100)) AS coverage_pct,
  COALESCE(aged.units_0_30, 0) AS units_0_30,
  COALESCE(aged.units_31_60, 0) AS units_31_60,
  COALESCE(aged.units_61_90, 0) AS units_61_90,
  COALESCE(aged.units_91_180, 0) AS units_91_180,
  COALESCE(aged.units_181_plus, 0) AS units_181_plus,
  GREATEST(stock.units - COALESCE(aged.known, 0), 0) AS units_unknown,
  first_ones.received_on AS first_received_on,
  newest.received_on AS last_received_on
FROM stock
LEFT JOIN aged ON aged.business_date = stock.business_date AND aged.sku = stock.sku
LEFT JOIN newest ON newest.business_date = stock.business_date AND newest.sku = stock.sku
LEFT JOIN first_ones ON first_ones.sku = stock.sku AND first_ones.received_on <= stock.business_date
