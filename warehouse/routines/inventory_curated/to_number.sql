-- An exact number, or NULL. decimal_mark is . or , ; thousands may be grouped by the other mark, blanks or
-- apostrophes, in threes; the minus may stand behind, parentheses are a minus. What NUMERIC cannot hold is NULL.
-- Agrees with stockflow.values.to_number.
CREATE OR REPLACE FUNCTION inventory_curated.to_number(value STRING, decimal_mark STRING) RETURNS NUMERIC AS ((
  SELECT exact
  FROM (
    SELECT IF(
      REGEXP_CONTAINS(plain, r'[eE]-[0-9]{2}'),  -- next to nothing: only nine decimals count
      SAFE_CAST(ROUND(SAFE_CAST(plain AS FLOAT64), 9) AS NUMERIC),
      SAFE_CAST(plain AS NUMERIC)
    ) AS exact
    FROM (
      SELECT CONCAT(
        IF(REGEXP_CONTAINS(pointed, r'^-|-$'), '-', ''), '0',
        REGEXP_REPLACE(pointed, r"[,'+]|^-|-$", '')
      ) AS plain
      FROM (
        SELECT IF(decimal_mark = ',', TRANSLATE(grouped, ',.', '.,'), grouped) AS pointed
        FROM (
          SELECT TRANSLATE(REGEXP_REPLACE(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(IF(
            REGEXP_CONTAINS(value, r'[^\x00-\x{2FF}]'),  -- below, all is composed; NORMALIZE costs
            NORMALIZE(REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', ''), NFC),
            REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', '')
          ),
            r'[ \t\n\x0b\f\r\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+', ' '), ' '),
            r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), ''),
            r'^\( ?([^-+−]+?) ?\)$', r'-\1'), '−’ ', "-''") AS grouped
        )
      )
      WHERE REGEXP_CONTAINS(
          pointed,
          r"^[+-]?(?:(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?:'[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?-?$"
        )
        AND NOT REGEXP_CONTAINS(pointed, r'^[+-].*-$')
    )
    WHERE NOT REGEXP_CONTAINS(plain, r'^-?[0-9.]{20,}[eE]')
  )
));
