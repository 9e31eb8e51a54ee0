-- The moment, in UTC, or NULL. Without an offset it is local to time_zone; without a time it is midnight there. An
-- hour that summer time skips, or that comes twice, is read with the offset before the change: what BigQuery's
-- TIMESTAMP(datetime, zone) does, written out so that every engine does it.
-- Agrees with stockflow.values.to_timestamp.
CREATE OR REPLACE FUNCTION inventory_curated.to_timestamp(value STRING, date_order STRING, time_zone STRING) RETURNS TIMESTAMP AS (
(
  -- written: the text with the marks that a compact date leaves out
  SELECT CASE
    WHEN stated IS NOT NULL THEN TIMESTAMP_SUB(shown, INTERVAL stated SECOND)
    WHEN before = after OR before_holds THEN TIMESTAMP_SUB(shown, INTERVAL before SECOND)
    WHEN after_holds THEN TIMESTAMP_SUB(shown, INTERVAL after SECOND)
    ELSE TIMESTAMP_SUB(shown, INTERVAL before SECOND)
  END
  FROM (
    SELECT
      shown, stated, before, after,
      TIMESTAMP_DIFF(TIMESTAMP(EXTRACT(DATETIME FROM TIMESTAMP_SUB(shown, INTERVAL before SECOND) AT TIME ZONE time_zone)), TIMESTAMP_SUB(shown, INTERVAL before SECOND), SECOND) = before AS before_holds,
      TIMESTAMP_DIFF(TIMESTAMP(EXTRACT(DATETIME FROM TIMESTAMP_SUB(shown, INTERVAL after SECOND) AT TIME ZONE time_zone)), TIMESTAMP_SUB(shown, INTERVAL after SECOND), SECOND) = after AS after_holds
    FROM (
      SELECT
        shown, stated,
        TIMESTAMP_DIFF(TIMESTAMP(EXTRACT(DATETIME FROM TIMESTAMP_SUB(shown, INTERVAL 1 DAY) AT TIME ZONE time_zone)), TIMESTAMP_SUB(shown, INTERVAL 1 DAY), SECOND) AS before,
        TIMESTAMP_DIFF(TIMESTAMP(EXTRACT(DATETIME FROM TIMESTAMP_ADD(shown, INTERVAL 1 DAY) AT TIME ZONE time_zone)), TIMESTAMP_ADD(shown, INTERVAL 1 DAY), SECOND) AS after
      FROM (
    SELECT
      CASE
        WHEN REGEXP_CONTAINS(written, r':.*(?:Z|UTC|GMT)$') THEN 0
        ELSE SAFE_CAST(CONCAT(REGEXP_EXTRACT(written, r':.*([+-])[0-9]{2}:?(?:[0-9]{2})?$'), '1') AS INT64) * 60 * (
          60 * SAFE_CAST(REGEXP_EXTRACT(written, r':.*[+-]([0-9]{2}):?(?:[0-9]{2})?$') AS INT64)
          + SAFE_CAST(COALESCE(REGEXP_EXTRACT(written, r':.*[+-][0-9]{2}:?([0-9]{2})$'), '0') AS INT64)
        )
      END AS stated,
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
  )
)
);
