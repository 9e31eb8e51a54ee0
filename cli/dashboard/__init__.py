"""stockflow dashboard: reports for people, on the views of inventory_reporting."""
