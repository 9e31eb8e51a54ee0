CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, proto BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS subscriptions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE NOT NULL,
  topic TEXT NOT NULL,
  proto BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL,
  data BLOB NOT NULL,
  attributes TEXT NOT NULL,
  ordering_key TEXT NOT NULL,
  published REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_topic ON messages (topic, published);
-- One row per subscription and message. Unacknowledged, it is due at `available`: a lease moves that to its own
-- end, a back-off to the next attempt. `token` numbers the leases; ack ids up to `floor` are void (seek).
CREATE TABLE IF NOT EXISTS deliveries (
  subscription INTEGER NOT NULL,
  message INTEGER NOT NULL,
  acked INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  available REAL NOT NULL,
  token INTEGER NOT NULL DEFAULT 0,
  leased INTEGER NOT NULL DEFAULT 0,
  ordering_key TEXT NOT NULL DEFAULT '',
  floor INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription, message)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (subscription, acked, available);
CREATE INDEX IF NOT EXISTS deliveries_unacked ON deliveries (subscription, message) WHERE acked = 0;
CREATE INDEX IF NOT EXISTS deliveries_of_message ON deliveries (message);
-- A snapshot is the backlog that it names and all that came after message `last`.
CREATE TABLE IF NOT EXISTS snapshots (
  name TEXT PRIMARY KEY,
  topic TEXT NOT NULL,
  created REAL NOT NULL,
  expires REAL NOT NULL,
  proto BLOB NOT NULL,
  last INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS snapshot_messages (
  snapshot TEXT NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY (snapshot, message)
) WITHOUT ROWID;
