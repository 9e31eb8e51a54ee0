-- Fill rate = SUM(filled_units) / SUM(due_units), lead time = SUM(unit_days) / SUM(received_units), over suppliers.
-- A day looks back 90 days, so filter one day; the newest one is flagged.
SELECT
  COALESCE(fill.business_date, lead.business_date) AS business_date,
  COALESCE(fill.supplier_code, lead.supplier_code) AS supplier_code,
  supplier.name AS supplier_name,
  supplier.country,
  fill.numerator AS filled_units,
  fill.denominator AS due_units,
  lead.numerator AS unit_days,
  lead.denominator AS received_units,
  COALESCE(fill.business_date, lead.business_date) = newest.business_date AS is_newest
FROM inventory_kpi.fill_rate AS fill
FULL OUTER JOIN inventory_kpi.supplier_lead_time AS lead
  ON lead.business_date = fill.business_date AND lead.supplier_code = fill.supplier_code
LEFT JOIN inventory_curated.suppliers AS supplier
  ON supplier.supplier_code = COALESCE(fill.supplier_code, lead.supplier_code)
CROSS JOIN (
  SELECT MAX(business_date) AS business_date
  FROM (
    SELECT business_date FROM inventory_kpi.fill_rate
    UNION ALL
    SELECT business_date FROM inventory_kpi.supplier_lead_time
  )
) AS newest
