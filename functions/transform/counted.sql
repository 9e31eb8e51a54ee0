-- How many rows raw holds of the runs @runs of the loads @loads, and how many different ones; nothing of a run without.
SELECT _load_id AS load_id, COUNT(*) AS found, COUNT(DISTINCT _row) AS different
FROM inventory_raw.{feed}
WHERE _landed_on IN UNNEST(@days) AND _load_id IN UNNEST(@loads) AND _run_id IN UNNEST(@runs)
GROUP BY _load_id
