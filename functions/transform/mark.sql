<<unsettled>>-- Loads of other feeds that say something else now that <<feed>> changed: to be transformed again.
IF EXISTS (<<what_changed>>) THEN
  INSERT INTO requeued (load_id, feed, landed_on)
  SELECT load_id, feed, landed_on
  FROM inventory_ops.load_stages_latest
  WHERE landed_on >= DATE '2000-01-01' AND stage = 'transform' AND state = 'transformed'<<raw_is_kept>> AND load_id IN (
<<affected>>
  );
END IF;

IF EXISTS (SELECT 1 FROM requeued) THEN
  INSERT INTO inventory_ops.load_stages (<<ledger_columns>>)
  SELECT <<marked_columns>>
  FROM (
    SELECT done.*, CURRENT_TIMESTAMP() AS marked_at
    FROM inventory_ops.load_stages_latest AS done
    WHERE done.landed_on >= DATE '2000-01-01'
      AND done.stage = 'transform'
      AND done.state = 'transformed'
      AND done.load_id IN (SELECT load_id FROM requeued)
  ) AS latest;
END IF;
