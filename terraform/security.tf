# Column security (columns tagged pii in the contracts), row security, keys, audit logs.

resource "google_data_catalog_taxonomy" "this" {
  display_name           = "stockflow-${var.environment}"
  description            = "Data classes of Stockflow's columns."
  region                 = local.region
  activated_policy_types = ["FINE_GRAINED_ACCESS_CONTROL"]

  depends_on = [google_project_service.api]
}

resource "google_data_catalog_policy_tag" "pii" {
  taxonomy     = google_data_catalog_taxonomy.this.id
  display_name = "pii"
  description  = "Personal data: names, e-mail addresses, telephone numbers."
}

# Who holds no grant sees NULL instead of an error, so SELECT * keeps working.
resource "google_bigquery_datapolicy_data_policy" "pii_masked" {
  location         = local.region
  data_policy_id   = "stockflow_${var.environment}_pii_masked"
  policy_tag       = google_data_catalog_policy_tag.pii.name
  data_policy_type = "DATA_MASKING_POLICY"

  data_masking_policy {
    predefined_expression = "ALWAYS_NULL"
  }
}

resource "google_bigquery_datapolicy_data_policy_iam_member" "masked" {
  for_each = merge(
    { for m in concat(var.access.analysts, var.access.engineers, var.access.publishers, tolist(local.located_readers)) : m => m },
    { for fn in local.functions : fn => google_service_account.function[fn].member if !contains(local.pii_readers, fn) },
  )

  location       = local.region
  data_policy_id = google_bigquery_datapolicy_data_policy.pii_masked.data_policy_id
  role           = "roles/bigquerydatapolicy.maskedReader"
  member         = each.value
}

resource "google_data_catalog_policy_tag_iam_member" "pii" {
  for_each = toset(local.pii_readers)

  policy_tag = google_data_catalog_policy_tag.pii.name
  role       = "roles/datacatalog.categoryFineGrainedReader"
  member     = google_service_account.function[each.key].member
}

resource "google_data_catalog_policy_tag_iam_member" "people" {
  for_each = toset(concat(var.access.pii, var.access.replayers)) # masked, a promotion would write NULLs

  policy_tag = google_data_catalog_policy_tag.pii.name
  role       = "roles/datacatalog.categoryFineGrainedReader"
  member     = each.key
}

# --- Rows by location: as soon as one policy exists on a table, who matches none sees no row, so the
#     functions and the whole-company readers get a policy of their own. Not on KPI tables: kpi replaces them when
#     a definition's columns change, and a replaced table has lost its policies. -------------------------------

locals {
  located = length(var.location_rows) == 0 ? [] : [
    for table, t in local.curated_tables : table
    if contains(local.feeds[t.feed].columns[*].name, "location_code") && can(local.feeds[t.feed].custom.businessDate)
  ]
  row_policies = merge(
    { for pair in setproduct(local.located, keys(var.location_rows)) : "${pair[0]}/${pair[1]}" => {
      table    = pair[0]
      policy   = "location_${lower(replace(pair[1], "/[^A-Za-z0-9]/", "_"))}"
      filter   = "location_code = '${pair[1]}'"
      grantees = var.location_rows[pair[1]]
    } },
    { for table in local.located : "${table}/all" => {
      table  = table
      policy = "all_locations"
      filter = "TRUE"
      grantees = concat(
        [for fn in ["transform", "kpi"] : google_service_account.function[fn].member],
        var.access.analysts, var.access.engineers, var.access.replayers, var.access.pii, var.access.publishers,
      )
    } },
  )
}

resource "google_bigquery_row_access_policy" "location" {
  for_each = local.row_policies

  dataset_id       = google_bigquery_dataset.this["curated"].dataset_id
  table_id         = google_bigquery_table.curated[each.value.table].table_id
  policy_id        = each.value.policy
  filter_predicate = each.value.filter
  grantees         = each.value.grantees
}

locals {
  located_readers = toset(flatten(values(var.location_rows)))
}

# A policy filters rows; the table itself must be readable, too, and its personal columns as NULL.
resource "google_bigquery_table_iam_member" "located" {
  for_each = { for pair in setproduct(local.located, local.located_readers) : "${pair[0]}/${pair[1]}" => { table = pair[0], member = pair[1] } }

  dataset_id = google_bigquery_dataset.this["curated"].dataset_id
  table_id   = google_bigquery_table.curated[each.value.table].table_id
  role       = "roles/bigquery.dataViewer"
  member     = each.value.member

  depends_on = [google_bigquery_row_access_policy.location]
}

# --- Keys ---------------------------------------------------------------------------------------------------

locals {
  number = data.google_project.this.number
  key_users = var.kms_key == null ? {} : merge({
    storage          = data.google_storage_project_service_account.gcs.member
    pubsub           = local.pubsub_agent
    bigquery         = "serviceAccount:${data.google_bigquery_default_service_account.this[0].email}"
    functions        = "serviceAccount:service-${local.number}@gcf-admin-robot.iam.gserviceaccount.com"
    artifactregistry = "serviceAccount:service-${local.number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    run              = "serviceAccount:service-${local.number}@serverless-robot-prod.iam.gserviceaccount.com"
    eventarc         = "serviceAccount:service-${local.number}@gcp-sa-eventarc.iam.gserviceaccount.com"
    }, var.optional.composer ? {
    composer = "serviceAccount:service-${local.number}@cloudcomposer-accounts.iam.gserviceaccount.com"
    } : {}, var.optional.dataflow ? {
    dataflow = "serviceAccount:service-${local.number}@dataflow-service-producer-prod.iam.gserviceaccount.com"
    compute  = "serviceAccount:service-${local.number}@compute-system.iam.gserviceaccount.com"
  } : {})
}

# Asking for BigQuery's agent makes it.
data "google_bigquery_default_service_account" "this" {
  count = var.kms_key == null ? 0 : 1

  depends_on = [google_project_service.api]
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = local.key_users

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value

  depends_on = [google_project_service_identity.agent]
}

# --- Who read what -------------------------------------------------------------------------------------------

resource "google_project_iam_audit_config" "data" {
  for_each = toset(["storage.googleapis.com", "bigquery.googleapis.com", "pubsub.googleapis.com"])

  project = var.project
  service = each.key
  audit_log_config {
    log_type = "DATA_READ"
  }
  audit_log_config {
    log_type = "DATA_WRITE"
  }
}

# Kept in the bucket below, so not in _Default too: stored once, billed once. (An exclusion is one of the _Default sink.)
resource "google_logging_project_exclusion" "data_access" {
  name        = "stockflow-data-access"
  description = "Data access audit logs are in the stockflow-audit bucket."
  filter      = "log_id(\"cloudaudit.googleapis.com/data_access\")"

  depends_on = [google_logging_project_sink.audit]
}

# Audit logs outlive the default thirty days, in a bucket of their own.
resource "google_logging_project_bucket_config" "audit" {
  project        = var.project
  location       = local.region
  bucket_id      = "stockflow-audit"
  description    = "Data access and admin activity of Stockflow, kept 400 days."
  retention_days = 400

  depends_on = [google_project_service.api]
}

resource "google_logging_project_sink" "audit" {
  name                   = "stockflow-audit"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.audit.id}"
  filter                 = "log_id(\"cloudaudit.googleapis.com/activity\") OR log_id(\"cloudaudit.googleapis.com/data_access\")"
  unique_writer_identity = true
}
