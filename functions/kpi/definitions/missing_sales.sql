/*
kind: base
title: Missing sales
description: >
  Locations and days from which sales are expected and none came, most often a file that is late or lost: their demand
  is unknown, not zero. A day is expected when the contract of sales names its weekday (expectedWeekdays, 1 is Monday),
  the location is open, and on that weekday it sold in at least two of the four weeks before, at least as many lines a
  day as the contract says (expectedFromLines): then a day without a single line is next to impossible. A location with
  less trade, or one that has begun to sell lately, may well sell nothing on a day, and has no row. Where a sender's
  profile names the location (locations) and states the days of its sales (expected), these days decide instead, from
  the first known day on (or the location's first day of business, or the day from which they are stated), however much
  it sells.
french:
  title: "Ventes manquantes"
  description: >
    Emplacements et jours dont des ventes sont attendues et ne sont pas venues, le plus souvent un fichier en retard
    ou perdu : leur demande est inconnue, elle n'est pas nulle. Un jour est attendu si le contrat des ventes cite
    son jour de semaine (expectedWeekdays, 1 est lundi), si l'emplacement est ouvert, et si ce jour de semaine il a
    vendu au moins deux des quatre semaines précédentes, avec au moins autant de lignes par jour que le dit le
    contrat (expectedFromLines) : un jour sans une seule ligne est alors presque impossible. Un emplacement qui vend
    moins, ou depuis peu, peut ne rien vendre un jour, et n'a pas de ligne. Si le profil d'un émetteur cite
    l'emplacement (locations) et donne les jours de ses ventes (expected), ce sont ces jours qui décident, à partir du
    premier jour connu (ou de l'ouverture de l'emplacement, ou du jour à partir duquel ils sont donnés), quel que soit le
    nombre de ses ventes.
formula: expected days of a location without a line of sales
grain: [location_code]
owner: inventory-data
lookback_days: 28
examples:
  - given:
      inventory_curated.sales:
        - {business_date: 2026-08-24, location_code: P1, receipt_number: "1", line_number: 1, sku: A, quantity: 1}
        - {business_date: 2026-08-24, location_code: P1, receipt_number: "1", line_number: 2, sku: B, quantity: 1}
        - {business_date: 2026-08-24, location_code: P1, receipt_number: "1", line_number: 3, sku: C, quantity: 1}
        - {business_date: 2026-08-24, location_code: P1, receipt_number: "1", line_number: 4, sku: D, quantity: 1}
        - {business_date: 2026-08-24, location_code: P1, receipt_number: "2", line_number: 1, sku: A, quantity: -1}
        - {business_date: 2026-08-31, location_code: P1, receipt_number: "3", line_number: 1, sku: A, quantity: 1}
        - {business_date: 2026-08-31, location_code: P1, receipt_number: "3", line_number: 2, sku: B, quantity: 1}
        - {business_date: 2026-08-31, location_code: P1, receipt_number: "3", line_number: 3, sku: C, quantity: 1}
        - {business_date: 2026-08-31, location_code: P1, receipt_number: "3", line_number: 4, sku: D, quantity: 1}
        - {business_date: 2026-08-31, location_code: P1, receipt_number: "4", line_number: 1, sku: A, quantity: 1}
        - {business_date: 2026-08-31, location_code: P1, receipt_number: "4", line_number: 2, sku: B, quantity: 1}
        - {business_date: 2026-08-31, location_code: P1, receipt_number: "4", line_number: 3, sku: C, quantity: 1}
        - {business_date: 2026-09-14, location_code: P1, receipt_number: "5", line_number: 1, sku: A, quantity: 1}
        - {business_date: 2026-08-24, location_code: P2, receipt_number: "1", line_number: 1, sku: A, quantity: 1}
        - {business_date: 2026-08-31, location_code: P2, receipt_number: "2", line_number: 1, sku: A, quantity: 1}
      inventory_curated.locations:
        - {location_code: P1, type: store, closed_on: 2026-09-21}
    expect:
      - {business_date: 2026-09-07, location_code: P1, usual_lines: 6}
*/
WITH lines AS (
  SELECT business_date, location_code, COUNT(*) AS lines
  FROM inventory_curated.sales
  GROUP BY business_date, location_code
),
-- the calendars that senders' profiles state, each with its days: a location may have several
stated AS (
  SELECT
    JSON_VALUE(entry, '$.location') AS location_code,
    JSON_VALUE(entry, '$.weekdays') AS weekdays,
    JSON_VALUE_ARRAY(entry, '$.off') AS days_off,
    COALESCE(JSON_VALUE(entry, '$.from'), '0001-01-01') AS first_day,
    COALESCE(JSON_VALUE(entry, '$.until'), '9999-12-31') AS next_first_day
  FROM UNNEST(JSON_QUERY_ARRAY(/* sales.senderCalendars */ '[]')) AS entry
),
-- the days before are the contract's
of_senders AS (
  SELECT location_code, MIN(first_day) AS first_day
  FROM stated
  GROUP BY location_code
),
-- a day says what to expect on its weekday in the four weeks after it
usual AS (
  SELECT
    DATE_ADD(lines.business_date, INTERVAL weeks * 7 DAY) AS business_date,
    lines.location_code,
    COUNT(*) AS days,
    AVG(lines.lines) AS usual_lines
  FROM lines, UNNEST([1, 2, 3, 4]) AS weeks
  GROUP BY 1, 2
),
promised AS (
  SELECT DISTINCT calendar.business_date, stated.location_code
  FROM inventory_kpi.calendar AS calendar
  CROSS JOIN stated
  WHERE STRPOS(stated.weekdays, CAST(MOD(EXTRACT(DAYOFWEEK FROM calendar.business_date) + 5, 7) + 1 AS STRING)) > 0
    AND CAST(calendar.business_date AS STRING) NOT IN UNNEST(stated.days_off)
    AND CAST(calendar.business_date AS STRING) >= stated.first_day
    AND CAST(calendar.business_date AS STRING) < stated.next_first_day
),
expected AS (
  SELECT promised.business_date, promised.location_code, usual.usual_lines
  FROM promised
  LEFT JOIN usual
    ON usual.business_date = promised.business_date AND usual.location_code = promised.location_code
  UNION ALL
  SELECT usual.business_date, usual.location_code, usual.usual_lines
  FROM usual
  LEFT JOIN of_senders ON of_senders.location_code = usual.location_code
  WHERE usual.days >= 2
    AND usual.usual_lines >= /* sales.expectedFromLines */ 5
    AND CAST(usual.business_date AS STRING) < COALESCE(of_senders.first_day, '9999-12-31')
    AND STRPOS(
      CAST(/* sales.expectedWeekdays */ 1234567 AS STRING),
      CAST(MOD(EXTRACT(DAYOFWEEK FROM usual.business_date) + 5, 7) + 1 AS STRING)
    ) > 0
)
SELECT
  expected.business_date,
  expected.location_code,
  expected.usual_lines
FROM expected
LEFT JOIN lines
  ON lines.business_date = expected.business_date AND lines.location_code = expected.location_code
LEFT JOIN inventory_curated.locations AS location ON location.location_code = expected.location_code
WHERE lines.location_code IS NULL
  AND expected.business_date < COALESCE(location.closed_on, DATE '9999-12-31')
  AND expected.business_date >= COALESCE(location.opened_on, DATE '0001-01-01')
