"""stockflow kpi: an analyst's way from an idea to a published KPI, one module for each command."""
