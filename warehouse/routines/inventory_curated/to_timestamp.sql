-- The moment, in UTC, or NULL. Without an offset it is read as UTC; without a time it is midnight.
-- Agrees with stockflow.values.to_timestamp.
CREATE OR REPLACE FUNCTION inventory_curated.to_timestamp(value STRING, date_order STRING) RETURNS TIMESTAMP AS (
(
  SELECT SAFE_CAST(CONCAT(
    CAST(SAFE_CAST(CASE
      WHEN REGEXP_CONTAINS(day, r'^[12][0-9]{3}[-/.][0-9]{1,2}[-/.][0-9]{1,2}$')
        THEN REGEXP_REPLACE(day, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)$', r'\1-\2-\3')
      WHEN REGEXP_CONTAINS(day, r'^[12][0-9]{7}$')
        THEN REGEXP_REPLACE(day, r'^([0-9]{4})([0-9]{2})([0-9]{2})$', r'\1-\2-\3')
      WHEN date_order = 'dmy' AND REGEXP_CONTAINS(day, r'^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][12][0-9]{3}$')
        THEN REGEXP_REPLACE(day, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)$', r'\3-\2-\1')
      WHEN date_order = 'mdy' AND REGEXP_CONTAINS(day, r'^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][12][0-9]{3}$')
        THEN REGEXP_REPLACE(day, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)$', r'\3-\1-\2')
    END AS DATE) AS STRING), ' ',
    LPAD(COALESCE(REGEXP_EXTRACT(text, r'[T ]([0-9]{1,2}):'), REGEXP_EXTRACT(text, r'^[0-9]{8}([0-9]{2})[0-9]{4}$'), '0'), 2, '0'), ':',
    COALESCE(REGEXP_EXTRACT(text, r'[T ][0-9]{1,2}:([0-9]{2})'), REGEXP_EXTRACT(text, r'^[0-9]{10}([0-9]{2})[0-9]{2}$'), '00'), ':',
    COALESCE(REGEXP_EXTRACT(text, r'[T ][0-9]{1,2}:[0-9]{2}:([0-9]{2})'), REGEXP_EXTRACT(text, r'^[0-9]{12}([0-9]{2})$'), '00'),
    '.', RPAD(COALESCE(REGEXP_EXTRACT(text, r':[0-9]{2}\.([0-9]{1,6})'), '0'), 6, '0'),
    COALESCE(REGEXP_EXTRACT(text, r':[0-9.]+([+-][0-9]{2})'), '+00'), ':',
    COALESCE(REGEXP_EXTRACT(text, r':[0-9.]+[+-][0-9]{2}:?([0-9]{2})$'), '00')
  ) AS TIMESTAMP)
  FROM (
    SELECT
      text,
      REGEXP_REPLACE(
        REGEXP_REPLACE(text, r'[T ](?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z| ?UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?$', ''),
        r'^([0-9]{8})(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]$', r'\1'
      ) AS day
    FROM (
      SELECT NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(
        value, r'[ \t\n\x0b\f\r\x{00A0}\x{200B}\x{2007}\x{2009}\x{202F}\x{3000}\x{FEFF}]+', ' '), ' '),
        r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), '') AS text
    )
  )
)
);
