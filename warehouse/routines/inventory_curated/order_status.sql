-- open, partial, received or cancelled, from usual names in English and French; NULL for anything else.
CREATE OR REPLACE FUNCTION inventory_curated.order_status(value STRING) RETURNS STRING AS (
(
  SELECT CASE
    WHEN word IN (
      'open', 'new', 'confirmed', 'ordered', 'sent', 'purchase', 'ouvert', 'ouverte', 'encours',
      'confirme', 'confirmee', 'commande', 'commandee'
    ) THEN 'open'
    WHEN word IN (
      'partial', 'partiallyreceived', 'partiel', 'partielle', 'partiellementrecu',
      'partiellementrecue'
    ) THEN 'partial'
    WHEN word IN (
      'received', 'closed', 'complete', 'completed', 'done', 'recu', 'recue', 'solde', 'soldee',
      'cloture', 'cloturee', 'termine', 'terminee', 'livre', 'livree'
    ) THEN 'received'
    WHEN word IN ('cancelled', 'canceled', 'cancel', 'annule', 'annulee') THEN 'cancelled'
  END
  FROM (
    SELECT REGEXP_REPLACE(TRANSLATE(LOWER(NULLIF(TRIM(REGEXP_REPLACE(REGEXP_REPLACE(TRIM(REGEXP_REPLACE(
      value, r'[ \t\n\x0b\f\r\x{00A0}\x{200B}\x{2007}\x{2009}\x{202F}\x{3000}\x{FEFF}]+', ' '), ' '),
      r'^="(.*)"$', r'\1'), r"^ *'", ''), ' '), '')), 'àâäáãçéèêëîïíôöóûüùúñ', 'aaaaaceeeeiiiooouuuun'), r'[^a-z0-9]', '') AS word
  )
)
);
