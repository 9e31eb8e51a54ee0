-- Customer order lines: typed, in the base unit. The newest statement (updated_at) wins.
-- Where a file states no quantities of its own, its status does: a shipped line left whole, a cancelled one does not leave.
WITH worded AS (
  -- A function's text takes the place of its call: one step of the query for each, or it grows with each nesting.
  SELECT accepted.* REPLACE (
    inventory_curated.to_word(unit) AS unit,
    inventory_curated.to_word(status) AS status,
    inventory_curated.to_word(cancel_reason) AS cancel_reason
  )
  FROM inventory_raw.customer_orders_accepted AS accepted
),
stated AS (
  SELECT
    inventory_curated.to_code(order_number) AS order_number,
    inventory_curated.to_integer(line_number, _decimal) AS line_number,
    inventory_curated.to_date(business_date, _date_order, _time_zone) AS business_date,
    COALESCE(inventory_curated.to_code(channel), '') AS channel,
    inventory_curated.to_code(sku) AS sku,
    inventory_curated.to_code(location_code) AS location_code,
    inventory_curated.to_number(ordered_quantity, _decimal) AS ordered_quantity,
    inventory_curated.to_number(shipped_quantity, _decimal) AS shipped_quantity,
    inventory_curated.to_number(shipped_on_time_quantity, _decimal) AS shipped_on_time_quantity,
    inventory_curated.to_number(cancelled_quantity, _decimal) AS cancelled_quantity,
    inventory_curated.cancel_reason(cancel_reason) AS cancel_reason,
    inventory_curated.to_unit(unit) AS stated_unit,
    inventory_curated.to_date(requested_date, _date_order, _time_zone) AS requested_date,
    inventory_curated.to_date(shipped_date, _date_order, _time_zone) AS shipped_date,
    inventory_curated.fulfilment_status(status) AS status,
    inventory_curated.to_timestamp(updated_at, _date_order, _time_zone) AS updated_at,
    _load_id,
    _row,
    _line,
    _generation,
    _landed_at
  FROM worded
),
cancelled AS (
  SELECT stated.* REPLACE (
    CASE
      WHEN cancelled_quantity IS NOT NULL THEN cancelled_quantity
      WHEN status = 'cancelled' THEN GREATEST(ordered_quantity - COALESCE(shipped_quantity, 0), 0)
    END AS cancelled_quantity
  )
  FROM stated
),
shipped AS (
  SELECT cancelled.* REPLACE (
    CASE
      WHEN shipped_quantity IS NOT NULL THEN shipped_quantity
      WHEN cancelled_quantity >= ordered_quantity THEN 0
      WHEN status = 'shipped' THEN ordered_quantity - COALESCE(cancelled_quantity, 0)
    END AS shipped_quantity
  )
  FROM cancelled
),
converted AS (
  SELECT
    shipped.*,
    COALESCE(product.base_unit, 'EA') AS base_unit,
    inventory_curated.unit_factor(
      shipped.stated_unit, product.base_unit, product.pack_unit, product.units_per_pack
    ) AS factor
  FROM shipped
  LEFT JOIN inventory_curated.products_by_day AS product
    ON product.sku = shipped.sku AND shipped.business_date BETWEEN product.valid_from AND product.valid_to
)
SELECT
  order_number,
  line_number,
  business_date,
  channel,
  sku,
  location_code,
  SAFE_MULTIPLY(ordered_quantity, factor) AS ordered_quantity,
  SAFE_MULTIPLY(shipped_quantity, factor) AS shipped_quantity,
  SAFE_MULTIPLY(shipped_on_time_quantity, factor) AS shipped_on_time_quantity,
  SAFE_MULTIPLY(cancelled_quantity, factor) AS cancelled_quantity,
  cancel_reason,
  base_unit AS unit,
  requested_date,
  shipped_date,
  CASE
    WHEN status IS NOT NULL THEN status
    WHEN cancelled_quantity > 0 AND cancelled_quantity >= ordered_quantity THEN 'cancelled'
    WHEN shipped_quantity > 0 AND shipped_quantity >= ordered_quantity - COALESCE(cancelled_quantity, 0) THEN 'shipped'
    WHEN shipped_quantity > 0 THEN 'partial'
    ELSE 'open'
  END AS status,
  updated_at,
  stated_unit,
  _load_id,
  _row,
  _line,
  LEAST(COALESCE(updated_at, _landed_at), _landed_at) AS _business_time,
  _generation,
  CASE
    WHEN factor IS NULL
      THEN CONCAT('unknown_unit_factor|unit|', stated_unit, '|units_per_pack of ', COALESCE(sku, '?'), ' in ', stated_unit)
  END AS _issue
FROM converted
