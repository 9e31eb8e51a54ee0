-- Loads of other feeds that say something else now that <<feed>> changed: to be transformed again.
IF EXISTS (SELECT 1 FROM changes WHERE _content_changed) THEN
  INSERT INTO inventory_ops.load_stages
  SELECT latest.* EXCEPT (kpi_record, marked_at, marked) REPLACE (
    -- as StageRecord.record_id says it
    SUBSTR(TO_HEX(SHA256(CONCAT(
      CAST(LENGTH(latest.load_id) AS STRING), ':', latest.load_id, '9:transform',
      CAST(LENGTH(latest.stage_version) AS STRING), ':', latest.stage_version, '7:pending',
      CAST(LENGTH(latest.marked) AS STRING), ':', latest.marked
    ))), 1, 20) AS record_id,
    'pending' AS state,
    CAST(NULL AS STRING) AS input_record,
    '<<feed>>_changed' AS reason_code,
    'a later file of <<feed>> changes what this load says' AS message,
    latest.marked_at AS finished_at,
    IF(latest.kpi_record = latest.record_id, NULL, latest.detail) AS detail
  )
  FROM (
    SELECT
      done.*,
      kpi.input_record AS kpi_record,
      clock.marked_at,
      IF(
        EXTRACT(MICROSECOND FROM clock.marked_at) = 0,
        FORMAT_TIMESTAMP('%FT%H:%M:%S+00:00', clock.marked_at),
        FORMAT_TIMESTAMP('%FT%H:%M:%E6S+00:00', clock.marked_at)
      ) AS marked
    FROM inventory_ops.load_stages_latest AS done
    LEFT JOIN inventory_ops.load_stages_latest AS kpi ON kpi.load_id = done.load_id AND kpi.stage = 'kpi'
    CROSS JOIN (SELECT CURRENT_TIMESTAMP() AS marked_at) AS clock
    WHERE done.stage = 'transform' AND done.state = 'transformed'
  ) AS latest
  WHERE latest.load_id IN (
<<affected>>
  );
END IF;
