-- An amount's text without the currency written beside it (12,50 €), or NULL when that is not the row's currency.
-- Agrees with stockflow.values.bare_amount.
CREATE OR REPLACE FUNCTION inventory_curated.bare_amount(value STRING, currency STRING) RETURNS STRING AS ((
  SELECT CASE
    WHEN beside IS NULL THEN text
    WHEN CASE beside WHEN '€' THEN 'EUR' WHEN '£' THEN 'GBP' ELSE beside END != currency THEN NULL
    WHEN REGEXP_CONTAINS(text, r'^[(+-]? ?(?:€|£|[A-Z]{3}) ?[^A-Z€£]+$')
      THEN REGEXP_REPLACE(text, r'^([(+-]?) ?(?:€|£|[A-Z]{3}) ?([^A-Z€£]+)$', r'\1\2')
    ELSE REGEXP_REPLACE(text, r'^([^A-Z€£]+?) ?(?:€|£|[A-Z]{3})(\)?)$', r'\1\2')
  END
  FROM (
    SELECT
      text,
      IF(
        REGEXP_CONTAINS(text, r'^(?:[(+-]? ?(?:€|£|[A-Z]{3}) ?[^A-Z€£]+|[^A-Z€£]+? ?(?:€|£|[A-Z]{3})\)?)$'),
        REGEXP_EXTRACT(text, r'€|£|[A-Z]{3}'), NULL
      ) AS beside
    FROM (
      SELECT NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(IF(
          REGEXP_CONTAINS(value, r'[^\x00-\x{2FF}]'),  -- below, all is composed; NORMALIZE costs
          NORMALIZE(REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', ''), NFC),
          REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', '')
        ),
          r'[ \t\n\x0b\f\r\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+', ' '), ' '),
          r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), '') AS text
    )
  )
));
