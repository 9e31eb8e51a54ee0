-- The rate of each currency on each day: the last one on or before it, at most 7 days old.
SELECT
  rates.currency,
  day AS business_date,
  rates.rate_to_base,
  rates.business_date AS rate_date
FROM (
  SELECT
    currency,
    business_date,
    rate_to_base,
    LEAD(business_date) OVER (PARTITION BY currency ORDER BY business_date) AS next_date
  FROM inventory_curated.exchange_rates
) AS rates
CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(
  rates.business_date,
  LEAST(
    DATE_ADD(rates.business_date, INTERVAL 7 DAY),
    COALESCE(DATE_SUB(rates.next_date, INTERVAL 1 DAY), DATE '9999-12-31')
  )
)) AS day
