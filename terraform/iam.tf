# One identity per function, each with the least roles at the narrowest resource. docs/security.md has
# the same table with the reasons; a test compares the two.

locals {
  functions = keys(local.pipeline.functions)

  # function -> bucket -> role
  bucket_roles = {
    ingest   = { landing = "roles/storage.objectViewer", staging = "roles/storage.objectUser" }
    validate = { staging = "roles/storage.objectUser" }
    kpi      = { definitions = "roles/storage.objectViewer" }
  }
  # function -> dataset -> role
  dataset_roles = {
    ingest    = { raw = "roles/bigquery.dataEditor", ops = "roles/bigquery.dataViewer" }
    validate  = { raw = "roles/bigquery.dataViewer", ops = "roles/bigquery.dataViewer" }
    transform = { raw = "roles/bigquery.dataViewer", curated = "roles/bigquery.dataEditor", ops = "roles/bigquery.dataViewer" }
    kpi       = { curated = "roles/bigquery.dataViewer", kpi = "roles/bigquery.dataEditor", ops = "roles/bigquery.dataViewer" }
  }
  # function -> tables of inventory_ops that it appends to
  ops_writes = {
    ingest    = ["load_stages", "stage_attempts", "reject_rows"]
    validate  = ["load_stages", "stage_attempts", "quarantine_rows", "expectation_results"]
    transform = ["load_stages", "stage_attempts", "quarantine_rows"]
    kpi       = ["load_stages", "kpi_runs"]
  }
  # function -> topics that it publishes to: what it finished; ingest also announces an object again (the sweep)
  publishes = {
    ingest    = ["inventory-events", "landing-objects"]
    validate  = ["inventory-events"]
    transform = ["inventory-events"]
    kpi       = ["inventory-events"]
  }
  # who may read the columns tagged pii: the stages that must copy them, and named people
  pii_readers = ["validate", "transform"]

  bucket_grants  = merge([for fn, grants in local.bucket_roles : { for bucket, role in grants : "${fn}/${bucket}" => { fn = fn, bucket = bucket, role = role } }]...)
  dataset_grants = merge([for fn, grants in local.dataset_roles : { for dataset, role in grants : "${fn}/${dataset}" => { fn = fn, dataset = dataset, role = role } }]...)
  ops_grants     = merge([for fn, tables in local.ops_writes : { for table in tables : "${fn}/${table}" => { fn = fn, table = table } }]...)

  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_service_account" "function" {
  for_each = toset(local.functions)

  account_id   = "stockflow-${each.key}"
  display_name = "Stockflow function ${each.key}"

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "job_user" {
  for_each = toset(local.functions)

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.function[each.key].member
}

resource "google_storage_bucket_iam_member" "function" {
  for_each = local.bucket_grants

  bucket = google_storage_bucket.this[each.value.bucket].name
  role   = each.value.role
  member = google_service_account.function[each.value.fn].member
}

resource "google_bigquery_dataset_iam_member" "function" {
  for_each = local.dataset_grants

  dataset_id = google_bigquery_dataset.this[each.value.dataset].dataset_id
  role       = each.value.role
  member     = google_service_account.function[each.value.fn].member
}

resource "google_bigquery_table_iam_member" "function" {
  for_each = local.ops_grants

  dataset_id = google_bigquery_dataset.this["ops"].dataset_id
  table_id   = google_bigquery_table.ops[each.value.table].table_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.function[each.value.fn].member
}

resource "google_pubsub_topic_iam_member" "function" {
  for_each = merge([for fn, topics in local.publishes : { for topic in topics : "${fn}/${topic}" => { fn = fn, topic = topic } }]...)

  topic  = google_pubsub_topic.this[each.value.topic].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.fn].member
}

# A function reads the secrets that it is given, and no other.
resource "google_secret_manager_secret_iam_member" "function" {
  for_each = merge([for fn, secrets in var.secrets : { for secret in toset(values(secrets)) : "${fn}/${secret}" => { fn = fn, secret = secret } }]...)

  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.fn].member
}

# --- Pub/Sub: who pushes, and what its own agent needs --------------------------------------------------

resource "google_service_account" "pusher" {
  account_id   = "stockflow-pusher"
  display_name = "Stockflow push subscriptions: signs the token that the functions check"

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_service_iam_member" "pusher" {
  for_each = google_cloudfunctions2_function.this

  name     = each.value.name
  location = local.region
  role     = "roles/run.invoker"
  member   = google_service_account.pusher.member
}

# Google makes its agents when they are first used, which is too late for a grant: ask for them.
resource "google_project_service_identity" "agent" {
  provider = google-beta
  for_each = toset(concat(
    ["pubsub"],
    var.kms_key == null ? [] : ["artifactregistry", "cloudfunctions", "eventarc", "run"],
    var.kms_key == null || !var.optional.dataflow ? [] : ["dataflow"],
  ))

  project = var.project
  service = "${each.key}.googleapis.com"

  depends_on = [google_project_service.api]
}

resource "google_service_account_iam_member" "pubsub_token" {
  service_account_id = google_service_account.pusher.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent

  depends_on = [google_project_service_identity.agent]
}

resource "google_pubsub_topic_iam_member" "dead" {
  for_each = google_pubsub_topic.dead

  topic  = each.value.id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent

  depends_on = [google_project_service_identity.agent]
}

resource "google_pubsub_subscription_iam_member" "dead" {
  for_each = google_pubsub_subscription.push

  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent

  depends_on = [google_project_service_identity.agent]
}

resource "google_pubsub_topic_iam_member" "storage" {
  topic  = google_pubsub_topic.this["landing-objects"].id
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.gcs.member
}

# --- Builds ------------------------------------------------------------------------------------------------

resource "google_service_account" "builder" {
  account_id   = "stockflow-builder"
  display_name = "Stockflow function builds"

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "builder" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  repository = google_artifact_registry_repository.functions.name
  location   = local.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

# Cloud Functions copies the zip into a bucket of its own, made with the first function, and builds from there.
resource "google_project_iam_member" "builder_sources" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.builder.member

  condition {
    title      = "only the copies that Cloud Functions builds from"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${local.region}\")"
  }
}

resource "google_storage_bucket_iam_member" "builder" {
  bucket = google_storage_bucket.this["artifacts"].name
  role   = "roles/storage.objectViewer"
  member = google_service_account.builder.member
}

# --- People ------------------------------------------------------------------------------------------------

locals {
  people = {
    analysts   = ["curated", "kpi", "reporting", "ops"]
    engineers  = ["raw", "curated", "kpi", "reporting", "ops"]
    replayers  = ["raw"]
    dashboards = ["reporting"]
    pii        = ["curated", "ops"]
    publishers = ["curated", "kpi", "reporting", "ops"]
  }
  people_grants = merge(flatten([for who, datasets in local.people : [for dataset in datasets : {
    for member in var.access[who] : "${who}/${dataset}/${member}" => { dataset = dataset, member = member }
  }]])...)
}

resource "google_bigquery_dataset_iam_member" "people" {
  for_each = local.people_grants

  dataset_id = google_bigquery_dataset.this[each.value.dataset].dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.value.member
}

resource "google_project_iam_member" "people_jobs" {
  for_each = toset(concat(
    var.access.analysts, var.access.engineers, var.access.replayers, var.access.dashboards, var.access.pii,
    var.access.publishers, tolist(local.located_readers),
  ))

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = each.key
}

# `stockflow lineage emit` reads the ledger and tells the Data Lineage API what it says.
resource "google_project_iam_member" "lineage" {
  for_each = var.optional.catalog ? toset(var.access.engineers) : []

  project = var.project
  role    = "roles/datalineage.producer"
  member  = each.key
}

# Each sweep of ingest tells it what ended.
resource "google_project_iam_member" "ingest_lineage" {
  count = var.optional.catalog ? 1 : 0

  project = var.project
  role    = "roles/datalineage.producer"
  member  = google_service_account.function["ingest"].member
}

# A sandbox run makes datasets of its own, which expire; its promotion writes what transform and kpi write.
resource "google_project_iam_member" "replayers" {
  for_each = toset(var.access.replayers)

  project = var.project
  role    = "roles/bigquery.user"
  member  = each.key
}

resource "google_bigquery_dataset_iam_member" "replayers" {
  for_each = { for pair in setproduct(["curated", "kpi", "ops"], var.access.replayers) : "${pair[0]}/${pair[1]}" => { dataset = pair[0], member = pair[1] } }

  dataset_id = google_bigquery_dataset.this[each.value.dataset].dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = each.value.member
}

# `stockflow kpi publish`: the definition and the copy that is kept of it, the KPI's reporting view, and the event that
# computes it at once. The numbers are written by the kpi function alone.
resource "google_storage_bucket_iam_member" "publisher_bucket" {
  for_each = toset(var.access.publishers)

  bucket = google_storage_bucket.this["definitions"].name
  role   = "roles/storage.objectUser"
  member = each.key

  condition {
    title       = "definitions and their history"
    description = "A publisher writes and lists definitions of KPIs and the copies of what was published."
    expression = join(" || ", flatten([for prefix in ["kpi/", "history/kpi/"] : [
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.this["definitions"].name}/objects/${prefix}\")",
      "api.getAttribute(\"storage.googleapis.com/objectListPrefix\", \"\").startsWith(\"${prefix}\")",
    ]]))
  }
}

# Granted on the project, where every version of the provider knows conditions; it reaches nothing but this dataset
# (to make a view in it) and the views named kpi_*. The project's own views stay as they are.
locals {
  reporting = "projects/${var.project}/datasets/${google_bigquery_dataset.this["reporting"].dataset_id}"
}

resource "google_project_iam_member" "publisher_views" {
  for_each = toset(var.access.publishers)

  project = var.project
  role    = "roles/bigquery.dataEditor"
  member  = each.key

  condition {
    title       = "reporting views of KPIs"
    description = "A publisher makes and replaces the views kpi_* of the reporting dataset."
    expression = join(" || ", [
      "resource.name == \"${local.reporting}\"",
      "(resource.name.startsWith(\"${local.reporting}/tables/kpi_\") && resource.name != \"${local.reporting}/tables/kpi_status\")",
    ])
  }
}

resource "google_pubsub_topic_iam_member" "publisher_event" {
  for_each = toset(var.access.publishers)

  topic  = google_pubsub_topic.this["inventory-events"].id
  role   = "roles/pubsub.publisher"
  member = each.key
}

# Engineers replay: by seek, by announcing a load again, by sending a
# dead letter again.
resource "google_pubsub_subscription_iam_member" "engineers" {
  for_each = merge([for sub in keys(local.pipeline.subscriptions) : { for m in var.access.engineers : "${sub}/${m}" => { sub = sub, member = m } }]...)

  subscription = google_pubsub_subscription.push[each.value.sub].name
  role         = "roles/pubsub.editor"
  member       = each.value.member
}

resource "google_pubsub_subscription_iam_member" "engineers_dead" {
  for_each = merge([for topic in keys(local.dead_topics) : { for m in var.access.engineers : "${topic}/${m}" => { topic = topic, member = m } }]...)

  subscription = google_pubsub_subscription.dead[each.value.topic].name
  role         = "roles/pubsub.subscriber"
  member       = each.value.member
}

resource "google_pubsub_topic_iam_member" "engineers" {
  for_each = merge([for topic in keys(local.pipeline.topics) : { for m in var.access.engineers : "${topic}/${m}" => { topic = topic, member = m } }]...)

  topic  = google_pubsub_topic.this[each.value.topic].id
  role   = "roles/pubsub.publisher"
  member = each.value.member
}

resource "google_storage_bucket_iam_member" "engineers" {
  for_each = toset(var.access.engineers)

  bucket = google_storage_bucket.this["landing"].name
  role   = "roles/storage.objectViewer"
  member = each.key
}

resource "google_storage_bucket_iam_member" "uploader" {
  for_each = var.uploaders

  bucket = google_storage_bucket.this["landing"].name
  role   = "roles/storage.objectUser"
  member = each.value.member

  condition {
    title       = "only below ${each.value.prefix}"
    description = "An uploader writes to its own prefix."
    expression  = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.this["landing"].name}/objects/${each.value.prefix}/\")"
  }
}

# What became of its files: ingest's sweep writes receipts/<object>.json and the refused rows into the staging bucket.
resource "google_storage_bucket_iam_member" "uploader_receipts" {
  for_each = var.uploaders

  bucket = google_storage_bucket.this["staging"].name
  role   = "roles/storage.objectViewer"
  member = each.value.member

  condition {
    title       = "receipts below ${each.value.prefix}"
    description = "An uploader reads and lists the receipts of its own files."
    expression = join(" || ", [
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.this["staging"].name}/objects/receipts/${each.value.prefix}/\")",
      "api.getAttribute(\"storage.googleapis.com/objectListPrefix\", \"\").startsWith(\"receipts/${each.value.prefix}/\")",
    ])
  }
}
