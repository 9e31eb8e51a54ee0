-- A GTIN-8/12/13/14 as 14 digits, or NULL when the check digit (weights 3 and 1 from the right) is wrong.
-- Zeros that a spreadsheet cut are put back. Agrees with stockflow.values.to_gtin.
CREATE OR REPLACE FUNCTION inventory_curated.to_gtin(value STRING) RETURNS STRING AS (
(
  SELECT padded
  FROM (
    SELECT text, LPAD(text, 14, '0') AS padded
    FROM (
      SELECT REGEXP_REPLACE(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(IF(
        REGEXP_CONTAINS(value, r'[^\x00-\x{2FF}]'),  -- below, all is composed; NORMALIZE costs
        NORMALIZE(REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', ''), NFC),
        REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', '')
      ),
        r'[ \t\n\x0b\f\r\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+', ' '), ' '),
        r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), ''), r'[ -]', '') AS text
    )
  )
  WHERE REGEXP_CONTAINS(text, r'^[0-9]{7,14}$')
    AND MOD(3 * (
      SAFE_CAST(SUBSTR(padded, 1, 1) AS INT64) + SAFE_CAST(SUBSTR(padded, 3, 1) AS INT64) +
      SAFE_CAST(SUBSTR(padded, 5, 1) AS INT64) + SAFE_CAST(SUBSTR(padded, 7, 1) AS INT64) +
      SAFE_CAST(SUBSTR(padded, 9, 1) AS INT64) + SAFE_CAST(SUBSTR(padded, 11, 1) AS INT64) +
      SAFE_CAST(SUBSTR(padded, 13, 1) AS INT64)
    ) +
      SAFE_CAST(SUBSTR(padded, 2, 1) AS INT64) + SAFE_CAST(SUBSTR(padded, 4, 1) AS INT64) +
      SAFE_CAST(SUBSTR(padded, 6, 1) AS INT64) + SAFE_CAST(SUBSTR(padded, 8, 1) AS INT64) +
      SAFE_CAST(SUBSTR(padded, 10, 1) AS INT64) + SAFE_CAST(SUBSTR(padded, 12, 1) AS INT64) +
      SAFE_CAST(SUBSTR(padded, 14, 1) AS INT64),
    10) = 0
)
);
