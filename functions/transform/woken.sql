-- One load of each feed whose loads wait to be transformed again because a dimension changed.
SELECT feed, MIN(load_id) AS load_id
FROM (
  SELECT feed, load_id, state
  FROM inventory_ops.load_stages
  WHERE stage = 'transform'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY finished_at DESC, record_id DESC) = 1
)
WHERE state = 'pending'
GROUP BY feed
