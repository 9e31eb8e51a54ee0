output "landing_bucket" {
  description = "Where people drop files: gs://<bucket>/<feed>/..."
  value       = google_storage_bucket.this["landing"].url
}

output "functions" {
  description = "Function -> the URL that its subscription pushes to."
  value       = { for name, fn in google_cloudfunctions2_function.this : name => fn.service_config[0].uri }
}

output "datasets" {
  description = "Layer -> dataset id."
  value       = { for layer, dataset in google_bigquery_dataset.this : layer => dataset.dataset_id }
}

output "definitions_bucket" {
  description = "Where CI syncs the KPI definitions."
  value       = google_storage_bucket.this["definitions"].url
}

output "release" {
  description = "The zips that are live: rollback.sh goes back to them."
  value       = var.release
  depends_on  = [google_cloudfunctions2_function.this]
}
