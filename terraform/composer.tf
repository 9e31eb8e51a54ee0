# Cloud Composer 3 runs scheduled backfills and nothing else. It costs by the hour, so it is off by default.

locals {
  composer = var.optional.composer ? 1 : 0
}

resource "google_service_account" "composer" {
  count = local.composer

  account_id   = "stockflow-composer"
  display_name = "Stockflow backfills"
}

resource "google_project_iam_member" "composer" {
  for_each = var.optional.composer ? toset(["roles/composer.worker", "roles/bigquery.jobUser"]) : toset([])

  project = var.project
  role    = each.key
  member  = google_service_account.composer[0].member
}

# A backfill re-publishes recorded events and reads the ledger.
resource "google_pubsub_topic_iam_member" "composer" {
  count = local.composer

  topic  = google_pubsub_topic.this["inventory-events"].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.composer[0].member
}

resource "google_bigquery_dataset_iam_member" "composer" {
  count = local.composer

  dataset_id = google_bigquery_dataset.this["ops"].dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.composer[0].member
}

resource "google_composer_environment" "this" {
  count = local.composer

  name   = "stockflow-${var.environment}"
  region = local.region

  config {
    environment_size           = "ENVIRONMENT_SIZE_SMALL"
    enable_private_environment = true

    software_config {
      image_version = var.composer_image
      env_variables = {
        STOCKFLOW_DATASET_PREFIX = var.dataset_prefix
      }
    }

    node_config {
      service_account = google_service_account.composer[0].email
      network         = try(var.network.network, null)
      subnetwork      = try(var.network.subnetwork, null)
    }

    dynamic "encryption_config" {
      for_each = var.kms_key == null ? [] : [var.kms_key]
      content {
        kms_key_name = encryption_config.value
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.composer_image != null
      error_message = "composer_image must be set when optional.composer is on: without it Google chooses the generation."
    }
  }

  depends_on = [google_project_service.api, google_project_iam_member.composer, google_kms_crypto_key_iam_member.agents]
}

variable "composer_image" {
  description = "Image of Cloud Composer 3, composer-3-airflow-x.y.z-build.t: the newest that the region offers (gcloud composer environments list-upgrades, or the release notes)."
  type        = string
  default     = null

  validation {
    condition     = var.composer_image == null || can(regex("^composer-3-airflow-[0-9.]+(-build\\.[0-9]+)?$", var.composer_image))
    error_message = "composer_image must look like composer-3-airflow-3.1.0-build.1."
  }
}
