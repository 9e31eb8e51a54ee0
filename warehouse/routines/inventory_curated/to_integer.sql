-- A whole number, or NULL: 12.0 is whole, 12.5 is not. Agrees with stockflow.values.to_integer.
CREATE OR REPLACE FUNCTION inventory_curated.to_integer(value STRING, decimal_mark STRING) RETURNS INT64 AS ((
  SELECT IF(exact = TRUNC(exact) AND ABS(exact) < 9223372036854775807, CAST(exact AS INT64), NULL)
  FROM (
    SELECT IF(
      REGEXP_CONTAINS(plain, r'[eE]-[0-9]{2}'),  -- next to nothing: only nine decimals count
      CAST(ROUND(SAFE_CAST(plain AS FLOAT64), 9) AS NUMERIC),
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
          SELECT TRANSLATE(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(
            value, r'[ \t\n\x0b\f\r\x{00A0}\x{200B}\x{2007}\x{2009}\x{202F}\x{3000}\x{FEFF}]+', ' '), ' '),
            r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), ''), '−’ ', "-''") AS grouped
        )
      )
      WHERE REGEXP_CONTAINS(
          pointed,
          r"^[+-]?(?:(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:'[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?-?$"
        )
        AND NOT REGEXP_CONTAINS(pointed, r'^[+-].*-$')
    )
  )
));
