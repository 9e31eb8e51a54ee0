-- Loads of other feeds that say something else now that <<feed>> changed: to be transformed again.
INSERT INTO inventory_ops.load_stages
SELECT latest.* EXCEPT (kpi_record) REPLACE (
  SUBSTR(TO_HEX(SHA256(CONCAT(latest.record_id, @drain))), 1, 20) AS record_id,
  'pending' AS state,
  CAST(NULL AS STRING) AS input_record,
  '<<feed>>_changed' AS reason_code,
  'a later file of <<feed>> changes what this load says' AS message,
  CURRENT_TIMESTAMP() AS finished_at,
  IF(latest.kpi_record = latest.record_id, NULL, latest.detail) AS detail
)
FROM (
  SELECT done.*, kpi.input_record AS kpi_record
  FROM inventory_ops.load_stages_latest AS done
  LEFT JOIN inventory_ops.load_stages_latest AS kpi ON kpi.load_id = done.load_id AND kpi.stage = 'kpi'
  WHERE done.stage = 'transform' AND done.state = 'transformed'
) AS latest
WHERE latest.load_id IN (
<<affected>>
);
