-- Why rows were refused, by feed and rule, each with its newest example.
WITH by_rule AS (
  SELECT
    feed,
    rule AS reason,
    column_name,
    'quarantine' AS kind,
    COUNT(*) AS refused,
    ARRAY_AGG(
      STRUCT(load_id AS load_id, line AS line, value AS value, expected AS expected)
      ORDER BY recorded_at DESC, line
      LIMIT 1
    )[SAFE_OFFSET(0)] AS example
  FROM inventory_ops.quarantine
  GROUP BY feed, rule, column_name
  UNION ALL
  SELECT
    feed,
    code,
    CAST(NULL AS STRING),
    'rejects',
    COUNT(*),
    ARRAY_AGG(
      STRUCT(load_id AS load_id, line AS line, found AS value, expected AS expected)
      ORDER BY recorded_at DESC, line
      LIMIT 1
    )[SAFE_OFFSET(0)]
  FROM inventory_ops.rejects
  GROUP BY feed, code
)
SELECT
  by_rule.feed,
  by_rule.reason,
  by_rule.column_name,
  by_rule.kind,
  by_rule.refused,
  by_rule.example.line,
  by_rule.example.value,
  by_rule.example.expected,
  loads.object
FROM by_rule
LEFT JOIN inventory_ops.loads AS loads ON loads.load_id = by_rule.example.load_id
ORDER BY refused DESC, feed, reason
LIMIT 50
