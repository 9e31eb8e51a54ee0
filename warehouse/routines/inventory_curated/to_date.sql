-- The day that a text states, or NULL for an impossible one and for "no date". Year first is always understood; day
-- and month first only as date_order (dmy or mdy) says. A moment in UTC counts on its day in time_zone (browsers
-- write a local midnight so); midnight in UTC is a day without a time, another offset keeps the day as written.
-- Agrees with stockflow.values.to_date.
CREATE OR REPLACE FUNCTION inventory_curated.to_date(value STRING, date_order STRING, time_zone STRING) RETURNS DATE AS (
(
  -- written: the text with the marks that a compact date leaves out
  SELECT IF(in_utc AND DATETIME(shown) != DATETIME(day), DATE(shown, time_zone), day)
  FROM (
    SELECT
      day,
      REGEXP_CONTAINS(written, r':.*(?:Z|UTC|GMT|[+-]00(?::?00)?)$') AS in_utc,
      SAFE_CAST(CONCAT(
        CAST(day AS STRING), ' ',
        LPAD(CAST(
          IF(half IS NULL, shown_hour, MOD(shown_hour, 12) + IF(UPPER(half) = 'P', 12, 0)) AS STRING
        ), 2, '0'), ':',
        COALESCE(REGEXP_EXTRACT(written, r'[T ][0-9]{1,2}:([0-9]{2})'), '00'), ':',
        COALESCE(REGEXP_EXTRACT(written, r'[T ][0-9]{1,2}:[0-9]{2}:([0-9]{2})'), '00'), '.',
        RPAD(COALESCE(REGEXP_EXTRACT(written, r':[0-9]{2}[.,]([0-9]{1,6})'), '0'), 6, '0'), '+00:00'
      ) AS TIMESTAMP) AS shown
    FROM (
      SELECT
        written,
        SAFE_CAST(CASE
          WHEN REGEXP_CONTAINS(written, r'^[12][0-9]{3}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:(?:T|,? )(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT)| ?[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?$')
            THEN REGEXP_REPLACE(written, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+).*$', r'\1-\2-\3')
          WHEN date_order = 'dmy' AND REGEXP_CONTAINS(written, r'^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][12][0-9]{3}(?:(?:T|,? )(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT)| ?[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?$')
            THEN REGEXP_REPLACE(written, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+).*$', r'\3-\2-\1')
          WHEN date_order = 'mdy' AND REGEXP_CONTAINS(written, r'^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][12][0-9]{3}(?:(?:T|,? )(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT)| ?[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?$')
            THEN REGEXP_REPLACE(written, r'^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+).*$', r'\3-\1-\2')
        END AS DATE) AS day,
        SAFE_CAST(COALESCE(REGEXP_EXTRACT(written, r'[T ]([0-9]{1,2}):'), '0') AS INT64) AS shown_hour,
        REGEXP_EXTRACT(written, r'([AaPp])\.?[Mm]\.?') AS half
      FROM (
        SELECT REGEXP_REPLACE(REGEXP_REPLACE(
          text, r'^([0-9]{4})([0-9]{2})([0-9]{2})T?([0-9]{2})([0-9]{2})([0-9]{2})((?:Z|[+-][0-9:]+)?)$', r'\1-\2-\3T\4:\5:\6\7'),
          r'^([0-9]{4})([0-9]{2})([0-9]{2})$', r'\1-\2-\3') AS written
        FROM (
          SELECT NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(IF(
              REGEXP_CONTAINS(value, r'[^\x00-\x{2FF}]'),  -- below, all is composed; NORMALIZE costs
              NORMALIZE(REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', ''), NFC),
              REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', '')
            ),
              r'[ \t\n\x0b\f\r\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+', ' '), ' '),
              r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), '') AS text
        )
        -- zeros, or the lowest or highest day that an ERP writes where it has no date
        WHERE NOT REGEXP_CONTAINS(text, r'^(?:[0.:/ T-]+|(?:0001[-/.]?0?1[-/.]?0?1|1753[-/.]?0?1[-/.]?0?1|1899[-/.]?12[-/.]?3[01]|1900[-/.]?0?1[-/.]?0?[01]|2999[-/.]?12[-/.]?31|9999[-/.]?12[-/.]?3[01]|0?1[-/.]0?1[-/.](?:0001|1753)|0?[01][-/.]0?[01][-/.]1900|(?:3[01][-/.]12|12[-/.]3[01])[-/.](?:1899|9999)|(?:31[-/.]12|12[-/.]31)[-/.]2999)(?:[0-9]{6}|(?:T|,? )[0-9:.,]+(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT|[+-][0-9:]+))?)?)$')
      )
    )
    WHERE day IS NOT NULL AND (half IS NULL OR shown_hour <= 12)
  )
)
);
