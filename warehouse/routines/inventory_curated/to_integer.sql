-- A whole number, or NULL: 12.0 is whole, 12.5 is not. Agrees with stockflow.values.to_integer.
CREATE OR REPLACE FUNCTION inventory_curated.to_integer(value STRING, decimal_mark STRING) RETURNS INT64 AS (
(
  SELECT IF(exact = TRUNC(exact) AND ABS(exact) < 9223372036854775807, CAST(exact AS INT64), NULL)
  FROM (
  SELECT SAFE_CAST(CONCAT(
    IF(REGEXP_CONTAINS(number, r'^-|-$'), '-', ''), '0', REGEXP_REPLACE(number, r"[,'+]|^-|-$", '')
  ) AS NUMERIC) AS exact
  FROM (
    SELECT IF(decimal_mark = ',', TRANSLATE(plain, ',.', '.,'), plain) AS number
    FROM (
      SELECT TRANSLATE(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(
        value, r'[ \t\n\x0b\f\r\x{00A0}\x{200B}\x{2007}\x{2009}\x{202F}\x{3000}\x{FEFF}]+', ' '), ' '),
        r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), ''), '−’ ', "-''") AS plain
    )
  )
  WHERE REGEXP_CONTAINS(
    number,
    r"^(?:[+-]?(?:(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:'[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?|(?:(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:'[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?-)$"
  )
  )
)
);
