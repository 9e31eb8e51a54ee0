-- The date a text begins with, or NULL for an impossible one. Year first is always understood; day and month
-- first only as date_order (dmy or mdy) says. Agrees with stockflow.values.to_date.
CREATE OR REPLACE FUNCTION inventory_curated.to_date(value STRING, date_order STRING) RETURNS DATE AS (
(
  SELECT SAFE_CAST(CASE
    WHEN REGEXP_CONTAINS(day, r'^[12][0-9]{3}[-/.][0-9]{1,2}[-/.][0-9]{1,2}$')
      THEN REGEXP_REPLACE(day, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)$', r'\1-\2-\3')
    WHEN REGEXP_CONTAINS(day, r'^[12][0-9]{7}$')
      THEN REGEXP_REPLACE(day, r'^([0-9]{4})([0-9]{2})([0-9]{2})$', r'\1-\2-\3')
    WHEN date_order = 'dmy' AND REGEXP_CONTAINS(day, r'^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][12][0-9]{3}$')
      THEN REGEXP_REPLACE(day, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)$', r'\3-\2-\1')
    WHEN date_order = 'mdy' AND REGEXP_CONTAINS(day, r'^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][12][0-9]{3}$')
      THEN REGEXP_REPLACE(day, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)$', r'\3-\1-\2')
  END AS DATE)
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
