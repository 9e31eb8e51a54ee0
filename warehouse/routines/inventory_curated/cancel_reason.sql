-- Why an order line was cancelled: no_stock or customer, from usual names; other for any other text.
CREATE OR REPLACE FUNCTION inventory_curated.cancel_reason(value STRING) RETURNS STRING AS (
(
  SELECT CASE
    WHEN word IN (
      'nostock', 'outofstock', 'stockout', 'inventory', 'notavailable', 'unavailable', 'soldout',
      'shortage', 'rupture', 'rupturedestock', 'enrupture', 'epuise', 'epuisee', 'indisponible',
      'manquedestock', 'nichtlieferbar', 'ausverkauft', 'nichtverfugbar', 'sinstock', 'agotado',
      'esaurito', 'nondisponibile'
    ) THEN 'no_stock'
    WHEN word IN (
      'customer', 'customerrequest', 'bycustomer', 'client', 'cliente', 'kunde', 'demandeclient',
      'demandeduclient', 'parleclient', 'changedmind', 'retractation', 'kundenwunsch'
    ) THEN 'customer'
    WHEN word IS NOT NULL THEN 'other'
  END
  FROM (
    SELECT REGEXP_REPLACE(TRANSLATE(LOWER(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(IF(
      REGEXP_CONTAINS(value, r'[^\x00-\x{2FF}]'),  -- below, all is composed; NORMALIZE costs
      NORMALIZE(REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', ''), NFC),
      REGEXP_REPLACE(value, r'[\x00-\x08\x0e-\x1f\x7f-\x{9F}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]+', '')
    ),
      r'[ \t\n\x0b\f\r\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+', ' '), ' '),
      r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), '')), 'àâäáãçéèêëîïíôöóûüùúñ', 'aaaaaceeeeiiiooouuuun'), r'[^a-z0-9]', '') AS word
  )
)
);
