# The sweep: a tick that finds what a lost event left behind and wakes it.

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
