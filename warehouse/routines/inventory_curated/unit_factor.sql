-- How many base units one stated unit is, or NULL when that is not known: never a guessed 1.
-- A product without a base unit is counted in EA (each). Agrees with stockflow.values.unit_factor.
CREATE OR REPLACE FUNCTION inventory_curated.unit_factor(stated STRING, base STRING, pack STRING, units_per_pack NUMERIC) RETURNS NUMERIC AS (
  CASE
    WHEN stated IS NULL OR stated = COALESCE(base, 'EA') THEN NUMERIC '1'
    WHEN stated = pack AND units_per_pack > 0 THEN units_per_pack
    WHEN (stated = 'G' AND base = 'KG') OR (stated = 'ML' AND base = 'L') THEN NUMERIC '0.001'
    WHEN (stated = 'KG' AND base = 'G') OR (stated = 'L' AND base = 'ML') THEN NUMERIC '1000'
  END
);
