# Files too large for one call of ingest: a Flex Template of Dataflow reads them (dataflow/, docs/large-files.md). Off by
# default; ingest hands files over once the template's image is there (dataflow_image), and rejects them until then.

locals {
  dataflow = var.optional.dataflow ? 1 : 0
  # the worker's grants are those of ingest, which it stands in for
  dataflow_buckets = var.optional.dataflow ? local.bucket_roles.ingest : {}
  dataflow_tables  = var.optional.dataflow ? local.ops_writes.ingest : []

  dataflow_ready = var.optional.dataflow && var.dataflow_image != null
  # what ingest is told: where the template is, and how its jobs run (FlexTemplateRuntimeEnvironment of the API)
  dataflow_env = local.dataflow_ready ? {
    STOCKFLOW_DATAFLOW_TEMPLATE = "gs://${google_storage_bucket.this["artifacts"].name}/${google_storage_bucket_object.dataflow[0].name}"
    STOCKFLOW_DATAFLOW_ENVIRONMENT = jsonencode(merge(
      {
        serviceAccountEmail = google_service_account.dataflow[0].email
        sdkContainerImage   = var.dataflow_image
        tempLocation        = "gs://${google_storage_bucket.this["staging"].name}/dataflow/temp"
        stagingLocation     = "gs://${google_storage_bucket.this["staging"].name}/dataflow/staging"
        machineType         = "e2-standard-2" # STOCKFLOW_MEMORY_BYTES of its workers follows from it (functions/ingest/handover.py)
        maxWorkers          = 8
      },
      var.kms_key == null ? {} : { kmsKeyName = var.kms_key },
      var.network == null ? {} : { subnetwork = var.network.subnetwork, ipConfiguration = "WORKER_IP_PRIVATE" },
    ))
  } : {}
}

resource "google_service_account" "dataflow" {
  count = local.dataflow

  account_id   = "stockflow-dataflow"
  display_name = "Stockflow large files"
}

resource "google_project_iam_member" "dataflow" {
  for_each = var.optional.dataflow ? toset(["roles/dataflow.worker", "roles/bigquery.jobUser"]) : toset([])

  project = var.project
  role    = each.key
  member  = google_service_account.dataflow[0].member
}

resource "google_storage_bucket_iam_member" "dataflow" {
  for_each = local.dataflow_buckets

  bucket = google_storage_bucket.this[each.key].name
  role   = each.value
  member = google_service_account.dataflow[0].member
}

resource "google_bigquery_dataset_iam_member" "dataflow" {
  for_each = var.optional.dataflow ? local.dataset_roles.ingest : {}

  dataset_id = google_bigquery_dataset.this[each.key].dataset_id
  role       = each.value
  member     = google_service_account.dataflow[0].member
}

resource "google_bigquery_table_iam_member" "dataflow" {
  for_each = toset(local.dataflow_tables)

  dataset_id = google_bigquery_dataset.this["ops"].dataset_id
  table_id   = google_bigquery_table.ops[each.key].table_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.dataflow[0].member
}

resource "google_pubsub_topic_iam_member" "dataflow" {
  count = local.dataflow

  topic  = google_pubsub_topic.this["inventory-events"].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.dataflow[0].member
}

resource "google_artifact_registry_repository" "dataflow" {
  count = local.dataflow

  repository_id = "stockflow-dataflow"
  location      = local.region
  format        = "DOCKER"
  description   = "Flex template images of the large-file pipeline."
  kms_key_name  = var.kms_key

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agents]
}

resource "google_artifact_registry_repository_iam_member" "dataflow" {
  count = local.dataflow

  repository = google_artifact_registry_repository.dataflow[0].name
  location   = local.region
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.dataflow[0].member
}

# The template: which image, and which parameters it takes.
resource "google_storage_bucket_object" "dataflow" {
  count = local.dataflow_ready ? 1 : 0

  bucket       = google_storage_bucket.this["artifacts"].name
  name         = "dataflow/large-file-${substr(sha256("${var.dataflow_image}${file("${path.module}/../dataflow/metadata.json")}"), 0, 12)}.json"
  content_type = "application/json"
  content = jsonencode({
    image    = var.dataflow_image
    sdkInfo  = { language = "PYTHON" }
    metadata = jsondecode(file("${path.module}/../dataflow/metadata.json"))
  })
}

# What ingest needs to launch a job: the launch, the template, and the right to give the job its identity.
resource "google_project_iam_member" "dataflow_launcher" {
  # checkov:skip=CKV_GCP_49:launching has no narrower resource than the project, and ingest may act as one identity only
  count = local.dataflow_ready ? 1 : 0

  project = var.project
  role    = "roles/dataflow.developer"
  member  = google_service_account.function["ingest"].member
}

resource "google_storage_bucket_iam_member" "dataflow_launcher" {
  for_each = local.dataflow_ready ? toset(["artifacts"]) : toset([])

  bucket = google_storage_bucket.this[each.key].name
  role   = "roles/storage.objectViewer"
  member = google_service_account.function["ingest"].member
}

resource "google_service_account_iam_member" "dataflow_launcher" {
  for_each = local.dataflow_ready ? toset(["dataflow"]) : toset([])

  service_account_id = google_service_account.dataflow[0].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.function["ingest"].member
}

variable "dataflow_image" {
  description = "Image of the pipeline for large files, with its digest, as scripts/ci/publish-dataflow.sh prints it; null until it is built."
  type        = string
  default     = null

  validation {
    condition     = var.dataflow_image == null || can(regex("^[a-z0-9.-]+/.+@sha256:[0-9a-f]{64}$", var.dataflow_image))
    error_message = "dataflow_image must name a digest, such as europe-west1-docker.pkg.dev/PROJECT/stockflow-dataflow/large-file@sha256:...: a tag can move."
  }
}
