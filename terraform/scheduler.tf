# Ticks: the sweep finds what a lost event left behind and wakes it; receipts are written of what ended.

resource "google_cloud_scheduler_job" "sweep" {
  name        = "stockflow-sweep"
  description = "Wakes landed objects without a load and stages that never started."
  region      = local.region
  schedule    = local.pipeline.sweep.schedule
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.this["inventory-events"].id
    data       = base64encode(jsonencode({ event_type = "sweep.tick", feed = "", load_id = "", detail = "{}" }))
    attributes = { event_type = "sweep.tick" }
  }

  retry_config {
    retry_count = 3
  }
}

resource "google_cloud_scheduler_job" "receipts" {
  name        = "stockflow-receipts"
  description = "Writes a receipt of each load that ended."
  region      = local.region
  schedule    = local.pipeline.receipts.schedule
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.this["inventory-events"].id
    data       = base64encode(jsonencode({ event_type = "receipts.tick", feed = "", load_id = "", detail = "{}" }))
    attributes = { event_type = "receipts.tick" }
  }
}
