# The place and the identity of a Dataflow pipeline for files too large for one function call. Nothing
# launches the pipeline (dataflow/) yet: ingest refuses such files with their limit.

locals {
  dataflow = var.optional.dataflow ? 1 : 0
  # the worker's grants are those of ingest, which it stands in for
  dataflow_buckets = var.optional.dataflow ? local.bucket_roles.ingest : {}
  dataflow_tables  = var.optional.dataflow ? local.ops_writes.ingest : []
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
