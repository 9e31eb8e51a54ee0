-- Whether a cell says nothing. kind is a logical type, or word for a closed vocabulary: what means "no value" in
-- numbers, dates and words may be a code elsewhere. Agrees with stockflow.values.is_blank.
-- One expression, without a query of its own: in a CASE it is evaluated for the rows that come to it.
CREATE OR REPLACE FUNCTION inventory_curated.is_blank(value STRING, kind STRING) RETURNS BOOL AS (
  COALESCE(REGEXP_CONTAINS(
    NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(IF(
      REGEXP_CONTAINS(value, r'[^\x00-\x{2FF}]'),  -- below, all is composed; NORMALIZE costs
      NORMALIZE(REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', ''), NFC),
      REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', '')
    ),
      r'[ \t\n\x0b\f\r\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+', ' '), ' '),
      r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), ''),
    CASE
      WHEN kind = 'word' THEN r'^(?:(?i:null|\\n|n/a|n\.a\.|none|nil|-+|[–—]|[(<\[](?:null|blank|empty|none|vide)[)>\]]))$'
      WHEN kind IN ('number', 'integer') THEN r'^(?:(?i:null|\\n|n/a|n\.a\.|none|nil|-+|[–—]|[(<\[](?:null|blank|empty|none|vide)[)>\]]|na))$'
      WHEN kind IN ('date', 'timestamp') THEN r'^(?:(?i:null|\\n|n/a|n\.a\.|none|nil|-+|[–—]|[(<\[](?:null|blank|empty|none|vide)[)>\]]|na))$|^(?:[0.:/ T-]+|(?:0001[-/.]?0?1[-/.]?0?1|1753[-/.]?0?1[-/.]?0?1|1899[-/.]?12[-/.]?3[01]|1900[-/.]?0?1[-/.]?0?[01]|2999[-/.]?12[-/.]?31|9999[-/.]?12[-/.]?3[01]|0?1[-/.]0?1[-/.](?:0001|1753)|0?[01][-/.]0?[01][-/.]1900|(?:3[01][-/.]12|12[-/.]3[01])[-/.](?:1899|9999)|(?:31[-/.]12|12[-/.]31)[-/.]2999)(?:[0-9]{6}|(?:T|,? )[0-9:.,]+(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT|[+-][0-9:]+))?)?)$'
      ELSE r'^$'  -- no text is empty
    END
  ), TRUE)
);
