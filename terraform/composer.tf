# Cloud Composer 3 runs scheduled work and nothing else (docs/composer.md). It costs by the hour, so it is off by default.

locals {
  composer      = var.optional.composer ? 1 : 0
  composer_name = "stockflow-composer"
  # what the tasks read and write besides the ledger
  composer_datasets = {
    raw     = "roles/bigquery.dataEditor"
    curated = "roles/bigquery.dataViewer"
    kpi     = "roles/bigquery.dataViewer"
    ops     = "roles/bigquery.dataViewer"
  }
  composer_buckets = {
    landing     = "roles/storage.objectViewer"
    staging     = "roles/storage.objectUser"
    definitions = "roles/storage.objectViewer"
  }
  dag_folder = "${path.module}/../composer/dags"
  python_url = "https://${local.region}-python.pkg.dev/${var.project}/${local.composer_name}/simple/"
}

resource "google_service_account" "composer" {
  count = local.composer

  account_id   = local.composer_name
  display_name = "Stockflow backfills"
}

resource "google_project_iam_member" "composer" {
  for_each = var.optional.composer ? toset(["roles/composer.worker", "roles/bigquery.user"]) : toset([])

  project = var.project
  role    = each.key
  member  = google_service_account.composer[0].member
}

# A backfill re-publishes recorded events, a reconciliation what was lost on the way.
resource "google_pubsub_topic_iam_member" "composer" {
  for_each = var.optional.composer ? toset(["inventory-events", "landing-objects"]) : toset([])

  topic  = google_pubsub_topic.this[each.key].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.composer[0].member
}

resource "google_bigquery_dataset_iam_member" "composer" {
  for_each = var.optional.composer ? local.composer_datasets : {}

  dataset_id = google_bigquery_dataset.this[each.key].dataset_id
  role       = each.value
  member     = google_service_account.composer[0].member
}

resource "google_storage_bucket_iam_member" "composer" {
  for_each = var.optional.composer ? local.composer_buckets : {}

  bucket = google_storage_bucket.this[each.key].name
  role   = each.value
  member = google_service_account.composer[0].member
}

# The tasks' code is a package: neither dags/ nor plugins/ of the bucket reaches the triggerer, which runs our trigger.
resource "google_artifact_registry_repository" "composer" {
  count = local.composer

  repository_id = local.composer_name
  location      = local.region
  format        = "PYTHON"
  description   = "The package of the DAGs, one version for each content."
  kms_key_name  = var.kms_key

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agents]
}

resource "google_artifact_registry_repository_iam_member" "composer" {
  count = local.composer

  repository = google_artifact_registry_repository.composer[0].name
  location   = local.region
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.composer[0].member
}

resource "google_storage_bucket_object" "pip" {
  count = local.composer

  bucket  = google_storage_bucket.this["composer"].name
  name    = "config/pip/pip.conf"
  content = "[global]\nextra-index-url = ${local.python_url}\n"
}

resource "google_storage_bucket_object" "dag" {
  for_each = var.optional.composer ? fileset(local.dag_folder, "*.py") : toset([])

  bucket = google_storage_bucket.this["composer"].name
  name   = "dags/${each.key}"
  source = "${local.dag_folder}/${each.key}"
}

resource "google_composer_environment" "this" {
  count = local.composer

  name   = "stockflow-${var.environment}"
  region = local.region

  storage_config {
    bucket = google_storage_bucket.this["composer"].name
  }

  config {
    environment_size           = "ENVIRONMENT_SIZE_SMALL"
    enable_private_environment = true

    software_config {
      image_version = var.composer_image
      pypi_packages = { stockflow-composer = "==${coalesce(var.composer_package, "0")}" }
      # the functions' own, so that the tasks see the same environment
      env_variables = {
        for name, value in merge(local.function_env, local.own_env["kpi"]) : name => value if name != "LOG_EXECUTION_ID"
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
    precondition {
      condition     = var.composer_package != null
      error_message = "composer_package must be set when optional.composer is on: the version that stockflow package printed."
    }
  }

  depends_on = [
    google_project_service.api,
    google_project_iam_member.composer,
    google_artifact_registry_repository_iam_member.composer,
    google_storage_bucket_object.pip,
    google_kms_crypto_key_iam_member.agents,
  ]
}

variable "composer_package" {
  description = "Version of the package stockflow-composer in the environment, as `stockflow package` prints it. A change rebuilds the environment's images, and is applied by a person."
  type        = string
  default     = null

  validation {
    condition     = var.composer_package == null || can(regex("^0[.][0-9]+$", var.composer_package))
    error_message = "composer_package must look like 0.123456789: the version that stockflow package prints."
  }
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
