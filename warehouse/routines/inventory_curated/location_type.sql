-- store, warehouse, transit or virtual, from usual names in English and French; NULL for anything else.
CREATE OR REPLACE FUNCTION inventory_curated.location_type(value STRING) RETURNS STRING AS (
(
  SELECT CASE
    WHEN word IN ('store', 'shop', 'outlet', 'boutique', 'magasin', 'pointdevente') THEN 'store'
    WHEN word IN (
      'warehouse', 'dc', 'distributioncenter', 'distributioncentre', 'depot', 'entrepot',
      'plateforme'
    ) THEN 'warehouse'
    WHEN word IN ('transit', 'intransit', 'entransit') THEN 'transit'
    WHEN word IN ('virtual', 'virtuel', 'supplier', 'customer', 'inventoryloss') THEN 'virtual'
  END
  FROM (
    SELECT REGEXP_REPLACE(TRANSLATE(LOWER(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(
      value, r'[ \t\n\x0b\f\r\x{00A0}\x{200B}\x{2007}\x{2009}\x{202F}\x{3000}\x{FEFF}]+', ' '), ' '),
      r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), '')), 'àâäáãçéèêëîïíôöóûüùúñ', 'aaaaaceeeeiiiooouuuun'), r'[^a-z0-9]', '') AS word
  )
)
);
