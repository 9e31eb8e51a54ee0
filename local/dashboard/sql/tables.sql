-- Which KPI tables there are, and their columns.
SELECT table_name, column_name
FROM inventory_kpi.INFORMATION_SCHEMA.COLUMNS
ORDER BY table_name, ordinal_position
