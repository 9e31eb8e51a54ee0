-- Rows that are kept without their amounts, since the currency has no rate, and why the first one is.
unvalued AS (
  SELECT
    load_id,
    CONCAT(
      ',"unvalued":{"rows":', CAST(COUNT(*) AS STRING), ',"first_line":', CAST(MIN(line) AS STRING),
      ',"currencies":"', STRING_AGG(DISTINCT currency, ', ' ORDER BY currency), '","reason":"', MIN(reason), '"}'
    ) AS said
  FROM (
    SELECT
      _load_id AS load_id,
      _line AS line,
      SPLIT(_unvalued, '|')[SAFE_OFFSET(2)] AS currency,
      SPLIT(_unvalued, '|')[SAFE_OFFSET(0)] AS reason
    FROM typed
    WHERE _issue IS NULL AND _unvalued IS NOT NULL
  )
  GROUP BY load_id
),
