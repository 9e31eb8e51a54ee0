"""What the same file costs by other means; these scripts run in an environment of their own."""
