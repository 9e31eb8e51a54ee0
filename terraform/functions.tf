# The four functions, each deployed alone: a zip named by its content, so only a changed one is redeployed.

locals {
  function_env = {
    GOOGLE_CLOUD_PROJECT     = var.project
    STOCKFLOW_ENVIRONMENT    = var.environment
    STOCKFLOW_LOCATION       = local.region
    STOCKFLOW_DATASET_PREFIX = var.dataset_prefix
    STOCKFLOW_LANDING_BUCKET = google_storage_bucket.this["landing"].name
    STOCKFLOW_STAGING_BUCKET = google_storage_bucket.this["staging"].name
    STOCKFLOW_LANDING_TOPIC  = google_pubsub_topic.this["landing-objects"].name
    STOCKFLOW_EVENTS_TOPIC   = google_pubsub_topic.this["inventory-events"].name
    LOG_EXECUTION_ID         = "true"
  }
  # each sweep tells Knowledge Catalog which files and tables a stage read and wrote
  lineage_env = { for name, url in { STOCKFLOW_LINEAGE_URL = "https://datalineage.googleapis.com" } : name => url if var.optional.catalog }
  # what one function needs beyond that
  own_env = {
    ingest    = merge(local.dataflow_env, local.lineage_env)
    validate  = { GX_ANALYTICS_ENABLED = "false" }
    transform = {}
    kpi       = { STOCKFLOW_DEFINITIONS_URI = "gs://${google_storage_bucket.this["definitions"].name}/kpi" }
  }
}

resource "google_cloudfunctions2_function" "this" {
  for_each = local.pipeline.functions

  name         = "stockflow-${each.key}"
  location     = local.region
  description  = "Stage ${each.key} of Stockflow."
  kms_key_name = var.kms_key

  build_config {
    runtime           = "python313"
    entry_point       = "handle"
    service_account   = google_service_account.builder.id
    docker_repository = google_artifact_registry_repository.functions.id

    source {
      storage_source {
        bucket = google_storage_bucket.this["artifacts"].name
        object = var.release[each.key].object
      }
    }
  }

  service_config {
    available_memory                 = each.value.memory
    available_cpu                    = tostring(each.value.cpu)
    timeout_seconds                  = each.value.timeout_seconds
    max_instance_count               = each.value.max_instances
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = 0
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.function[each.key].email
    environment_variables = merge(local.function_env, local.own_env[each.key], {
      STOCKFLOW_CODE_VERSION = var.release[each.key].version
      THREADS                = tostring(each.value.concurrency)

      STOCKFLOW_DRAIN_PAUSE_SECONDS = tostring(try(each.value.drain_pause_seconds, 0))
      STOCKFLOW_LOAD_PAUSE_SECONDS  = tostring(try(each.value.load_pause_seconds, 0))

      STOCKFLOW_KPI_INTERVAL_SECONDS = jsonencode(try(each.value.kpi_interval_seconds, {}))
      # what a call of ingest takes follows from it
      STOCKFLOW_MEMORY_BYTES = tostring(
        tonumber(regex("^[0-9]+", each.value.memory)) * (endswith(each.value.memory, "Gi") ? 1073741824 : 1048576)
      )
    })

    direct_vpc_egress = var.network == null ? null : "VPC_EGRESS_ALL_TRAFFIC"
    dynamic "direct_vpc_network_interface" {
      for_each = var.network == null ? [] : [var.network]
      content {
        network    = direct_vpc_network_interface.value.network
        subnetwork = direct_vpc_network_interface.value.subnetwork
        tags       = ["stockflow-${each.key}"]
      }
    }

    dynamic "secret_environment_variables" {
      for_each = try(var.secrets[each.key], {})
      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = secret_environment_variables.value
        version    = "latest"
      }
    }
  }

  depends_on = [
    google_project_service.api,
    terraform_data.grants_settled,
    google_secret_manager_secret_iam_member.function,
  ]
}

# A build that starts before the builder's grants are known everywhere fails, and the apply with it.
resource "terraform_data" "grants_settled" {
  triggers_replace = [google_service_account.builder.account_id]

  provisioner "local-exec" {
    command = "sleep ${var.settle_seconds.grants}"
  }

  depends_on = [
    google_project_iam_member.builder,
    google_project_iam_member.builder_sources,
    google_artifact_registry_repository_iam_member.builder,
    google_storage_bucket_iam_member.builder,
  ]
}

resource "google_artifact_registry_repository" "functions" {
  repository_id = "stockflow-functions"
  location      = local.region
  format        = "DOCKER"
  description   = "Images that Cloud Build makes of the functions."
  kms_key_name  = var.kms_key

  cleanup_policies {
    id     = "keep-the-last-ten"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }
  cleanup_policies {
    id     = "delete-after-ninety-days"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agents]
}
