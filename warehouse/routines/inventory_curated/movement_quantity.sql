-- The quantity with its sign: + into the location, - out of it. value is the movement type as written.
-- What leaves is negative however it is written; SAP codes carry their own sign (102 reverses 101, 202
-- reverses 201); everything else keeps the sign that it was written with.
CREATE OR REPLACE FUNCTION inventory_curated.movement_quantity(value STRING, quantity NUMERIC) RETURNS NUMERIC AS (
(
  SELECT CASE
    WHEN word IN ('101', '561', '202', '262', '602', '651', '701') THEN ABS(quantity)
    WHEN word IN ('102', '122', '201', '261', '601', '702') THEN -ABS(quantity)
    WHEN word IN (
      'issue', 'goodsissue', 'sale', 'sortie', 'vente', 'consommation', 'transferout',
      'transfertsortant', 'sortietransfert', 'scrap', 'damage', 'loss', 'shrinkage', 'casse',
      'perte', 'demarque', 'supplierreturn', 'returntovendor', 'retourfournisseur'
    ) THEN -ABS(quantity)
    ELSE quantity
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
