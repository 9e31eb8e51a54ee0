# Buckets: what people drop, what ingest stages, what analysts define, what CI builds.

locals {
  # feed -> days, where the contract says how long its files are kept
  kept_files = { for feed, f in local.feeds : feed => tonumber(f.custom.keepFilesDays) if can(tonumber(f.custom.keepFilesDays)) }
}

resource "google_storage_bucket" "this" {
  for_each = merge(local.buckets, {
    artifacts = { name = "${var.project}-artifacts", versioning = true, retention_days = 0 }
    }, {
    for key, bucket in { composer = { name = "${var.project}-composer", versioning = true, retention_days = 0 } } :
    key => bucket if var.optional.composer
  })

  name                        = each.value.name
  location                    = local.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  versioning {
    enabled = each.value.versioning
  }

  soft_delete_policy {
    retention_duration_seconds = 7 * 86400
  }

  dynamic "retention_policy" {
    for_each = each.value.retention_days > 0 ? [each.value.retention_days] : []
    content {
      retention_period = tostring(retention_policy.value * 86400)
    }
  }

  dynamic "lifecycle_rule" {
    for_each = try(local.pipeline.retention[each.key], 0) > 0 ? [local.pipeline.retention[each.key]] : []
    content {
      action {
        type = "Delete"
      }
      condition {
        age        = lifecycle_rule.value
        with_state = "ANY"
      }
    }
  }

  # A feed whose contract says so is kept for less: its files, the staged copies, the refused rows in its receipts.
  dynamic "lifecycle_rule" {
    for_each = contains(["landing", "staging"], each.key) ? local.kept_files : {}
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        with_state     = "ANY"
        matches_prefix = each.key == "landing" ? ["${lifecycle_rule.key}/"] : ["ingest/${lifecycle_rule.key}/", "receipts/${lifecycle_rule.key}/"]
      }
    }
  }

  # An overwritten generation stays readable for a replay of the last month.
  dynamic "lifecycle_rule" {
    for_each = each.value.versioning ? [31] : []
    content {
      action {
        type = "Delete"
      }
      condition {
        days_since_noncurrent_time = lifecycle_rule.value
        with_state                 = "ARCHIVED"
      }
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agents]
}

data "google_storage_project_service_account" "gcs" {
  depends_on = [google_project_service.api]
}

# The path of a file starts here: each new object is announced on the topic that ingest reads.
resource "google_storage_notification" "landing" {
  bucket         = google_storage_bucket.this["landing"].name
  topic          = google_pubsub_topic.this["landing-objects"].id
  payload_format = "JSON_API_V1"
  event_types    = ["OBJECT_FINALIZE"]

  depends_on = [google_pubsub_topic_iam_member.storage]
}
