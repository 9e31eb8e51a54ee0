-- A code: to_text in capitals. Agrees with stockflow.values.to_code.
CREATE OR REPLACE FUNCTION inventory_curated.to_code(value STRING) RETURNS STRING AS (
  UPPER(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(
    value, r'[ \t\n\x0b\f\r\x{00A0}\x{200B}\x{2007}\x{2009}\x{202F}\x{3000}\x{FEFF}]+', ' '), ' '),
    r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), ''))
);
