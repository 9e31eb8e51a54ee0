# BigQuery: datasets and tables from pipeline.yaml and contracts/, views and routines from warehouse/.
# KPI tables are made by the kpi function from the definitions (their schema is derived from the SQL);
# only those that a reporting view reads are made here, empty, so that one apply works.

locals {
  meta_raw = {
    before = [
      { name = "_load_id", type = "STRING", mode = "REQUIRED", description = "The load that brought the row." },
      { name = "_run_id", type = "STRING", mode = "REQUIRED", description = "The attempt that wrote the row; it counts when the ledger names it." },
      { name = "_row", type = "INT64", mode = "REQUIRED", description = "Number of the row in its load, from 1 on." },
      { name = "_line", type = "INT64", mode = "REQUIRED", description = "Line of the file where the record starts." },
    ]
    after = [
      { name = "_extra", type = "STRING", mode = "NULLABLE", description = "JSON of the columns that the contract does not know." },
      { name = "_ingested_at", type = "TIMESTAMP", mode = "NULLABLE", description = "When the row was staged." },
      { name = "_landed_on", type = "DATE", mode = "REQUIRED", description = "Day (UTC) on which the object landed: the partition." },
    ]
  }
  meta_curated = [
    { name = "_load_id", type = "STRING", mode = "NULLABLE", description = "The load that stated the row." },
    { name = "_row", type = "INT64", mode = "NULLABLE", description = "Number of the row in its load, from 1 on." },
    { name = "_line", type = "INT64", mode = "NULLABLE", description = "Line of the file where the record starts." },
    { name = "_business_time", type = "TIMESTAMP", mode = "NULLABLE", description = "When the statement was made; the newer one wins." },
    { name = "_generation", type = "INT64", mode = "NULLABLE", description = "Generation of the object, the tie-break of the business time." },
    { name = "_updated_at", type = "TIMESTAMP", mode = "NULLABLE", description = "When the row was written here." },
  ]
  meta_history = [
    { name = "_replaced_by", type = "STRING", mode = "NULLABLE", description = "The load of a newer generation of the same file, if it replaces this." },
  ]
  curated_clusters = {
    for feed, f in local.feeds : feed => distinct(concat(
      try([f.custom.clusterBy], []),
      try([f.custom.businessDate], []),
      [for c in ["sku", "location_code", "supplier_code", "currency"] : c if contains([for col in f.columns : col.name], c)],
    ))
  }
  # feed -> days, 0 without limit (shared/stockflow/retention.py says the same)
  kept_raw     = { for feed, f in local.feeds : feed => try(tonumber(f.custom.keepRawDays), local.pipeline.retention.raw) }
  kept_curated = { for feed, f in local.feeds : feed => try(tonumber(f.custom.keepCuratedDays), local.pipeline.retention.curated) }
  kept_ops = { for table, _ in local.pipeline.ops_tables : table => local.pipeline.retention[
    lookup({ reject_rows = "rejects", quarantine_rows = "quarantine" }, table, "ledger")
  ] }
  policy_tag = { policyTags = { names = [google_data_catalog_policy_tag.pii.name] } }

  raw_schema = {
    for feed, f in local.feeds : feed => concat(
      local.meta_raw.before,
      [for c in f.columns : merge(
        { name = c.name, type = "STRING", mode = "NULLABLE", description = c.description },
        c.pii ? local.policy_tag : {},
      ) if !c.derived],
      local.meta_raw.after,
    )
  }
  curated_schema = {
    for feed, f in local.feeds : feed => concat(
      [for c in f.columns : merge(
        { name = c.name, type = c.type, mode = "NULLABLE", description = c.description },
        c.pii ? local.policy_tag : {},
      )],
      local.meta_curated,
    )
  }
  curated_tables = merge([for feed, f in local.feeds : {
    (feed)            = { feed = feed, schema = local.curated_schema[feed], description = "The current statement of each business key. ${f.description}" }
    "${feed}_history" = { feed = feed, schema = concat(local.curated_schema[feed], local.meta_history), description = "Every typed statement, also those that a newer one replaced. ${f.description}" }
  }]...)
}

resource "google_bigquery_dataset" "this" {
  for_each = local.pipeline.datasets

  dataset_id                 = local.dataset[each.key]
  description                = each.value.description
  location                   = local.region
  max_time_travel_hours      = "168"
  delete_contents_on_destroy = !var.deletion_protection

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  # Grants are separate resources (iam.tf, authorised views below); this block would fight with them.
  lifecycle {
    ignore_changes = [access]
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agents]
}

resource "google_bigquery_table" "raw" {
  for_each = local.feeds

  dataset_id          = google_bigquery_dataset.this["raw"].dataset_id
  table_id            = each.key
  description         = "${each.value.description} As written, one row per line."
  schema              = jsonencode(local.raw_schema[each.key])
  clustering          = ["_load_id"]
  deletion_protection = var.deletion_protection

  # Nobody reads all of a table that grows by mistake.
  require_partition_filter = true

  time_partitioning {
    type          = "DAY"
    field         = "_landed_on"
    expiration_ms = local.kept_raw[each.key] > 0 ? local.kept_raw[each.key] * 86400000 : null
  }
}

resource "google_bigquery_table" "curated" {
  for_each = local.curated_tables

  dataset_id  = google_bigquery_dataset.this["curated"].dataset_id
  table_id    = each.key
  description = each.value.description
  schema      = jsonencode(each.value.schema)
  # By date first: a drain reads the days that it touches, not their months. A key without a date is looked up by
  # the column that its contract names.
  clustering          = slice(local.curated_clusters[each.value.feed], 0, min(4, length(local.curated_clusters[each.value.feed])))
  deletion_protection = var.deletion_protection

  # Months: a day each would reach the limit of partitions per job in a backfill of eleven years.
  dynamic "time_partitioning" {
    for_each = try([local.feeds[each.value.feed].custom.businessDate], [])
    content {
      type          = "MONTH"
      field         = time_partitioning.value
      expiration_ms = local.kept_curated[each.value.feed] > 0 ? local.kept_curated[each.value.feed] * 86400000 : null
    }
  }
}

resource "google_bigquery_table" "ops" {
  for_each = local.pipeline.ops_tables

  dataset_id  = google_bigquery_dataset.this["ops"].dataset_id
  table_id    = each.key
  description = each.value.description
  clustering  = each.value.cluster
  schema = jsonencode([for c in each.value.columns : merge({
    name        = c.name
    type        = c.type
    mode        = try(c.mode, "NULLABLE")
    description = try(c.description, "")
  }, try(c.pii, false) ? local.policy_tag : {})])
  deletion_protection      = var.deletion_protection
  require_partition_filter = each.value.partition == "landed_on"

  time_partitioning {
    type          = "DAY"
    field         = each.value.partition
    expiration_ms = local.kept_ops[each.key] > 0 ? local.kept_ops[each.key] * 86400000 : null
  }
}

# The KPI tables that a reporting view reads, empty, with the schema that the definitions give. The kpi
# function fills them and follows a changed definition, so the schema here only starts them.
locals {
  kpi_schemas = try(jsondecode(file("${path.module}/../warehouse/kpi_tables.json")), {})
}

resource "google_bigquery_table" "kpi" {
  for_each = local.kpi_schemas

  dataset_id          = google_bigquery_dataset.this["kpi"].dataset_id
  table_id            = each.key
  description         = each.value.description
  schema              = jsonencode(each.value.schema)
  clustering          = each.value.cluster
  deletion_protection = var.deletion_protection

  time_partitioning {
    type  = "MONTH"
    field = "business_date"
  }

  lifecycle {
    # kpi replaces its table when its columns change, without labels.
    ignore_changes = [schema, clustering, description, labels]
  }
}
