-- Whether a cell is written as a number, whatever its size. decimal_mark and the rest as in to_number.
-- One expression, without a query of its own: in a CASE it is evaluated for the rows that come to it.
-- Agrees with stockflow.values.is_number.
CREATE OR REPLACE FUNCTION inventory_curated.is_number(value STRING, decimal_mark STRING) RETURNS BOOL AS (
  COALESCE(REGEXP_CONTAINS(
    TRANSLATE(TRANSLATE(REGEXP_REPLACE(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(IF(
      REGEXP_CONTAINS(value, r'[^\x00-\x{2FF}]'),  -- below, all is composed; NORMALIZE costs
      NORMALIZE(REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', ''), NFC),
      REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', '')
    ),
      r'[ \t\n\x0b\f\r\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+', ' '), ' '),
      r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), ''),
      r'^\( ?([^-+−]+?) ?\)$', r'-\1'), '−’ ', "-''"), ',.', IF(decimal_mark = ',', '.,', ',.')),
    r"^(?:[+-]?(?:(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?:'[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?|(?:(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?:'[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?-)$"
  ), FALSE)
);
