-- These loads were transformed before, perhaps by a script that died behind its COMMIT. Then nobody looked at what was
-- committed next to it: loads that were transformed within ten minutes of it are transformed again.
IF again THEN
  INSERT INTO requeued (load_id, feed, landed_on)
  SELECT DISTINCT beside.load_id, beside.feed, beside.landed_on
  FROM inventory_ops.load_stages_latest AS beside
  JOIN (
    SELECT
      TIMESTAMP_SUB(started_at, INTERVAL 10 MINUTE) AS since,
      TIMESTAMP_ADD(finished_at, INTERVAL 10 MINUTE) AS until
    FROM inventory_ops.load_stages
    WHERE landed_on IN UNNEST(@days)
      AND load_id IN UNNEST(@loads)
      AND stage = 'transform'
      AND state = 'transformed'
      AND run_id NOT IN (SELECT next_run FROM batch)
      AND finished_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
  ) AS earlier
    ON beside.finished_at BETWEEN earlier.since AND earlier.until
  WHERE beside.landed_on >= DATE '2000-01-01'
    AND beside.feed IN (<<readers>>)
    AND beside.stage = 'transform'
    AND beside.state = 'transformed'<<raw_is_kept>>;
END IF;
