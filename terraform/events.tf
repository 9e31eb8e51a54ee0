# Topics and the push subscriptions that we own (not hidden ones of an event trigger), so that
# `gcloud pubsub subscriptions seek` replays any stage. All from pipeline.yaml.

locals {
  dead_topics = { for name, sub in local.pipeline.subscriptions : "${name}${local.defaults.dead_letter_topic_suffix}" => name }
}

resource "google_pubsub_schema" "event" {
  name       = "${var.dataset_prefix}inventory-event"
  type       = "AVRO"
  definition = file("${path.module}/schemas/inventory-event.avsc")

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic" "this" {
  for_each = local.pipeline.topics

  name                       = each.key
  message_retention_duration = "${each.value.retention_days * 86400}s"
  kms_key_name               = var.kms_key

  # The schema of object notifications is Cloud Storage's own.
  dynamic "schema_settings" {
    for_each = each.key == "inventory-events" ? [google_pubsub_schema.event.id] : []
    content {
      schema   = schema_settings.value
      encoding = "JSON"
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agents]
}

resource "google_pubsub_topic" "dead" {
  for_each = local.dead_topics

  name                       = each.key
  message_retention_duration = "${local.defaults.retention_days * 86400}s"
  kms_key_name               = var.kms_key

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agents]
}

resource "google_pubsub_subscription" "push" {
  for_each = local.pipeline.subscriptions

  name                       = each.key
  topic                      = google_pubsub_topic.this[each.value.topic].id
  filter                     = each.value.filter
  ack_deadline_seconds       = local.defaults.ack_deadline_seconds
  message_retention_duration = "${local.defaults.retention_days * 86400}s"
  retain_acked_messages      = local.defaults.retain_acked_messages

  push_config {
    push_endpoint = google_cloudfunctions2_function.this[each.value.function].service_config[0].uri
    oidc_token {
      service_account_email = google_service_account.pusher.email
      audience              = google_cloudfunctions2_function.this[each.value.function].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "${local.defaults.retry.minimum_backoff_seconds}s"
    maximum_backoff = "${local.defaults.retry.maximum_backoff_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead["${each.key}${local.defaults.dead_letter_topic_suffix}"].id
    max_delivery_attempts = local.defaults.max_delivery_attempts
  }

  expiration_policy {
    ttl = "" # never
  }

  depends_on = [google_pubsub_subscription.dead]
}

# A dead-letter topic without a subscription loses messages.
resource "google_pubsub_subscription" "dead" {
  for_each = local.dead_topics

  name                       = "${each.value}${local.defaults.dead_letter_subscription_suffix}"
  topic                      = google_pubsub_topic.dead[each.key].id
  ack_deadline_seconds       = 60
  message_retention_duration = "${local.defaults.retention_days * 86400}s"
  retain_acked_messages      = true

  expiration_policy {
    ttl = ""
  }
}
