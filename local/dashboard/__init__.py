"""The laptop's dashboard: KPIs and pipeline health on one page, from the warehouse alone."""
