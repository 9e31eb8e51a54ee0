-- The usual code of a unit (EA, CS, KG...); a unit that is not known keeps its own name in capitals.
-- Agrees with stockflow.values.to_unit.
CREATE OR REPLACE FUNCTION inventory_curated.to_unit(value STRING) RETURNS STRING AS (
(
  SELECT CASE
    WHEN word IN (
      'ea', 'each', 'c62', 'pc', 'pcs', 'pce', 'pz', 'piece', 'pieces', 'unit', 'units', 'unite', 'unites',
      'u', 'un', 'st', 'stk', 'stuck'
    ) THEN 'EA'
    WHEN word IN (
      'cs', 'case', 'cases', 'ca', 'carton', 'cartons', 'ct', 'ctn', 'kar', 'colis', 'col'
    ) THEN 'CS'
    WHEN word IN ('bx', 'box', 'boxes', 'boite', 'boites', 'bte') THEN 'BX'
    WHEN word IN ('pk', 'pack', 'packs', 'pac', 'paq', 'paquet', 'paquets', 'lot', 'lots') THEN 'PK'
    WHEN word IN ('pal', 'pallet', 'pallets', 'palette', 'palettes') THEN 'PAL'
    WHEN word IN ('dz', 'doz', 'dozen', 'douzaine') THEN 'DZ'
    WHEN word IN (
      'kg', 'kgm', 'kgs', 'kilo', 'kilos', 'kilogram', 'kilograms', 'kilogramme', 'kilogrammes'
    ) THEN 'KG'
    WHEN word IN ('g', 'gr', 'grm', 'gram', 'grams', 'gramme', 'grammes') THEN 'G'
    WHEN word IN ('l', 'lt', 'ltr', 'liter', 'liters', 'litre', 'litres') THEN 'L'
    WHEN word IN ('ml', 'mlt', 'milliliter', 'millilitre', 'millilitres') THEN 'ML'
    WHEN word IN ('m', 'mtr', 'meter', 'meters', 'metre', 'metres') THEN 'M'
    ELSE UPPER(text)
  END
  FROM (
    SELECT text, REGEXP_REPLACE(TRANSLATE(LOWER(text), 'àâäáãçéèêëîïíôöóûüùúñ', 'aaaaaceeeeiiiooouuuun'), r'[^a-z0-9]', '') AS word
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
)
);
