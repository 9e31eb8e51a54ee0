"""backfill: a stage run again for a long period, day by day, in batches that wait for each other."""
