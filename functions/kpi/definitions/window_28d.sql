/*
kind: base
title: Trailing 28 days
description: >
  For each SKU, location and day with a balance, the last 28 days up to that day: days with a row (listed_days), days
  whose sales are known (sales_days: none are missing), of these the days whose balance is not stale, whose value and
  whose cost are known, units sold, cost, margin (and the units whose margin is known), average stock. The KPIs of a
  period divide these.
french:
  title: "28 derniers jours"
  description: >
    Pour chaque référence, emplacement et jour avec un stock, les 28 derniers jours jusqu'à ce jour : jours avec une
    ligne (listed_days), jours dont les ventes sont connues (sales_days : aucune ne manque), parmi eux les jours
    dont le stock n'est pas périmé, dont la valeur et dont le coût sont connus, unités vendues, coût, marge (et les
    unités dont la marge est connue), stock moyen. Les indicateurs d'une période les divisent.
formula: average stock value = sum of the daily values / days with a value
grain: [sku, location_code]
owner: inventory-data
lookback_days: 28
examples:
  - given:
      inventory_kpi.stock_daily:
        - {business_date: 2026-09-01, sku: A, location_code: P1, is_stocked: true, on_hand: 10, stock_value: 20, unit_cost: 2, units_sold: 9, net_sales: 45, cogs: 18, gross_margin: 27, units_moved: 9, margin_units: 9}
        - {business_date: 2026-09-02, sku: A, location_code: P1, is_stocked: true, on_hand: 4, stock_value: 8, unit_cost: 2, units_sold: 6, net_sales: 30, cogs: 12, gross_margin: 18, units_moved: 6, margin_units: 6}
        - {business_date: 2026-09-01, sku: B, location_code: P1, is_stocked: true, units_sold: 1, net_sales: 7, units_moved: 1, margin_units: 0}
        - {business_date: 2026-09-01, sku: C, location_code: WEB, is_stocked: false, units_sold: 1, net_sales: 7}
        - {business_date: 2026-09-29, sku: A, location_code: P1, is_stocked: true, units_sold: 1, net_sales: 5, cogs: 2, unit_cost: 2, gross_margin: 3, units_moved: 1, margin_units: 1}
        - {business_date: 2026-09-01, sku: D, location_code: P2, is_stocked: true, on_hand: 8, stock_value: 16, unit_cost: 2, units_sold: 2, net_sales: 10, cogs: 4, gross_margin: 6, units_moved: 2, margin_units: 2}
        - {business_date: 2026-09-02, sku: D, location_code: P2, is_stocked: true, on_hand: 6, stock_value: 12, unit_cost: 2, units_sold: null, units_moved: 0, margin_units: 0}
    expect:
      - {business_date: 2026-09-01, sku: A, location_code: P1, listed_days: 1, average_value: 20, units_sold: 9, gross_margin: 27}
      - {business_date: 2026-09-01, sku: B, location_code: P1, net_sales: 7, gross_margin: null, units_moved: 1, margin_units: 0, costed_days: 0, cogs: null, average_value: null}
      - {business_date: 2026-09-02, sku: A, location_code: P1, listed_days: 2, average_value: 14, units_sold: 15, cogs: 30, gross_margin: 45}
      - {business_date: 2026-09-29, sku: A, location_code: P1, listed_days: 2, observed_days: 1, valued_days: 1, costed_days: 2, average_value: 8, units_sold: 7}
      - {business_date: 2026-09-01, sku: D, location_code: P2, listed_days: 1, sales_days: 1}
      - {business_date: 2026-09-02, sku: D, location_code: P2, listed_days: 2, sales_days: 1, observed_days: 1, valued_days: 1, costed_days: 1, average_value: 14, units_sold: 2, cogs: 4}
*/
SELECT
  business_date,
  sku,
  location_code,
  category,
  supplier_code,
  is_listed,
  on_hand,
  available,
  stock_value,
  is_stale,
  unit_cost,
  COUNT(*) OVER trailing AS listed_days,
  COUNT(units_sold) OVER trailing AS sales_days,
  COUNT(IF(units_sold IS NULL, NULL, on_hand)) OVER trailing AS observed_days,
  COUNT(IF(units_sold IS NULL, NULL, stock_value)) OVER trailing AS valued_days,
  COUNT(cogs) OVER trailing AS costed_days,
  SUM(units_sold) OVER trailing AS units_sold,
  SUM(net_sales) OVER trailing AS net_sales,
  SUM(cogs) OVER trailing AS cogs,
  SUM(gross_margin) OVER trailing AS gross_margin,
  SUM(units_moved) OVER trailing AS units_moved,
  SUM(margin_units) OVER trailing AS margin_units,
  -- rounded, so that values that cancel out are no stock, whatever the order of summing
  ROUND(SUM(stock_value) OVER trailing / NULLIF(COUNT(stock_value) OVER trailing, 0), 6) AS average_value
FROM inventory_kpi.stock_daily
WHERE is_stocked
WINDOW trailing AS (
  PARTITION BY sku, location_code ORDER BY UNIX_DATE(business_date)
  RANGE BETWEEN 27 PRECEDING AND CURRENT ROW
)
