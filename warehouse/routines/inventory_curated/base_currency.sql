-- The currency that curated money is in; a test holds it to pipeline.yaml and the contracts.
CREATE OR REPLACE FUNCTION inventory_curated.base_currency() RETURNS STRING AS (
  'EUR'
);
