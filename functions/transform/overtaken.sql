-- A dimension changed under this drain: its loads are to be transformed again, also if whoever ran this dies now.
SET overtaken = (<<dimensions_seen>>) != (SELECT MAX(dimensions_seen) FROM batch);

IF overtaken THEN
  INSERT INTO inventory_ops.load_stages (<<ledger_columns>>)
  SELECT <<marked_columns>>
  FROM (
    SELECT done.*, CURRENT_TIMESTAMP() AS marked_at
    FROM inventory_ops.load_stages AS done
    JOIN batch ON done.run_id = batch.next_run
    WHERE done.landed_on IN UNNEST(@days)
  ) AS latest;
END IF;
