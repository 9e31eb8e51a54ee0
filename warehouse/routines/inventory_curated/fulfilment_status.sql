-- open, partial, shipped or cancelled, from usual names in English and French; NULL for anything else.
CREATE OR REPLACE FUNCTION inventory_curated.fulfilment_status(value STRING) RETURNS STRING AS (
(
  SELECT CASE
    WHEN word IN (
      'open', 'new', 'confirmed', 'ordered', 'processing', 'pending', 'unfulfilled', 'unshipped',
      'onhold', 'backorder', 'backordered', 'sale', 'salesorder', 'locked', 'ouvert', 'ouverte',
      'encours', 'confirme', 'confirmee', 'commande', 'commandee', 'enattente', 'enpreparation'
    ) THEN 'open'
    WHEN word IN (
      'partial', 'partiallyfulfilled', 'partiallyshipped', 'partiallydelivered', 'partiel',
      'partielle', 'partiellementexpedie', 'partiellementexpediee', 'partiellementlivre',
      'partiellementlivree'
    ) THEN 'partial'
    WHEN word IN (
      'fulfilled', 'shipped', 'delivered', 'dispatched', 'pickedup', 'completed', 'complete',
      'expedie', 'expediee', 'livre', 'livree', 'retire', 'retiree'
    ) THEN 'shipped'
    WHEN word IN (
      'cancelled', 'canceled', 'cancel', 'voided', 'annule', 'annulee'
    ) THEN 'cancelled'
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
