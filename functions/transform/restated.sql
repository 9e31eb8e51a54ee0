-- Keys under which another load, or another line, stated something else altogether: two documents with one number.
restated AS (
  SELECT
    load_id,
    CONCAT(
      ',"restated_with_other_content":{"rows":', CAST(COUNT(*) AS STRING), ',"example":', MIN(example), '}'
    ) AS said
  FROM (
    SELECT IF(_load_id IN UNNEST(@loads), _load_id, _before_load_id) AS load_id, TO_JSON_STRING(STRUCT(<<example>>)) AS example
    FROM (
      SELECT
        <<columns>>,
        LEAD(_load_id) OVER (PARTITION BY <<keys>> ORDER BY <<newest_first>>) AS _before_load_id<<before_columns>>
      FROM statements
    )
    WHERE _before_load_id IS NOT NULL
      AND (_load_id IN UNNEST(@loads) OR _before_load_id IN UNNEST(@loads))
      AND <<is_other_content>>
  )
  GROUP BY load_id
),
