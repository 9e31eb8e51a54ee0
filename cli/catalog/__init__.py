"""What the tables mean, for Knowledge Catalog (Dataplex): from contracts and KPI headers."""
