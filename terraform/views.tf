# Views and routines of warehouse/, the same files that the embedded stack provisions.
#
# BigQuery refuses a view whose tables are not there yet, and Terraform makes what one for_each names
# in any order. So views are made in tiers: a view's tier is how deep it reads other views.

locals {
  warehouse = "${path.module}/../warehouse"

  view_files = fileset("${local.warehouse}/views", "*/*.sql")
  accepted   = file("${local.warehouse}/templates/accepted.sql")

  # "inventory_ops.loads" -> SQL
  view_sql = merge(
    { for f in local.view_files : replace(trimsuffix(f, ".sql"), "/", ".") => file("${local.warehouse}/views/${f}") },
    { for feed in keys(local.feeds) : "inventory_raw.${feed}_accepted" => replace(local.accepted, "{feed}", feed) },
  )
  view_reads = {
    for view, sql in local.view_sql : view => [
      for other in keys(local.view_sql) : other
      if other != view && length(regexall("\\b${replace(other, ".", "\\.")}\\b", sql)) > 0
    ]
  }
  tier_0   = [for v, reads in local.view_reads : v if length(reads) == 0]
  tier_1   = [for v, reads in local.view_reads : v if !contains(local.tier_0, v) && length(setsubtract(reads, local.tier_0)) == 0]
  tier_2   = [for v, reads in local.view_reads : v if !contains(concat(local.tier_0, local.tier_1), v) && length(setsubtract(reads, concat(local.tier_0, local.tier_1))) == 0]
  tier_3   = [for v, reads in local.view_reads : v if !contains(concat(local.tier_0, local.tier_1, local.tier_2), v) && length(setsubtract(reads, concat(local.tier_0, local.tier_1, local.tier_2))) == 0]
  untiered = setsubtract(keys(local.view_sql), concat(local.tier_0, local.tier_1, local.tier_2, local.tier_3))

  # SQL is written for inventory_<layer>; an environment may prefix its datasets. BigQuery wants the
  # project named in a stored view (in backticks: a routine's path takes no bare dash).
  view_query = { for view, sql in local.view_sql : view => replace(sql, "/\\binventory_(raw|curated|kpi|reporting|ops)\\./", "`${var.project}`.${var.dataset_prefix}inventory_$${1}.") }
  view_home  = { for view in keys(local.view_sql) : view => { layer = trimprefix(split(".", view)[0], "inventory_"), name = split(".", view)[1] } }

  # What the reporting views say of themselves and of each column; the others have comments in their SQL.
  view_words = { for view, v in yamldecode(file("${local.warehouse}/reporting.yaml")).views : "inventory_reporting.${view}" => {
    description = v.description
    schema      = jsonencode([for column, c in v.columns : { name = column, type = c.type, mode = "NULLABLE", description = c.description }])
  } }

  tables_ready = concat(
    values(google_bigquery_table.raw)[*].id,
    values(google_bigquery_table.curated)[*].id,
    values(google_bigquery_table.ops)[*].id,
    values(google_bigquery_table.kpi)[*].id,
  )
}

resource "google_bigquery_table" "view_0" {
  for_each = toset(local.tier_0)

  dataset_id          = google_bigquery_dataset.this[local.view_home[each.key].layer].dataset_id
  table_id            = local.view_home[each.key].name
  description         = try(local.view_words[each.key].description, null)
  schema              = try(local.view_words[each.key].schema, null)
  deletion_protection = false

  view {
    query          = local.view_query[each.key]
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.raw, google_bigquery_table.curated, google_bigquery_table.ops, google_bigquery_table.kpi, google_bigquery_routine.this]

  lifecycle {
    precondition {
      condition     = length(local.untiered) == 0
      error_message = "Views nest deeper than four tiers, or in a circle: ${join(", ", local.untiered)}."
    }
  }
}

resource "google_bigquery_table" "view_1" {
  for_each = toset(local.tier_1)

  dataset_id          = google_bigquery_dataset.this[local.view_home[each.key].layer].dataset_id
  table_id            = local.view_home[each.key].name
  description         = try(local.view_words[each.key].description, null)
  schema              = try(local.view_words[each.key].schema, null)
  deletion_protection = false

  view {
    query          = local.view_query[each.key]
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.view_0]
}

resource "google_bigquery_table" "view_2" {
  for_each = toset(local.tier_2)

  dataset_id          = google_bigquery_dataset.this[local.view_home[each.key].layer].dataset_id
  table_id            = local.view_home[each.key].name
  description         = try(local.view_words[each.key].description, null)
  schema              = try(local.view_words[each.key].schema, null)
  deletion_protection = false

  view {
    query          = local.view_query[each.key]
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.view_1]
}

resource "google_bigquery_table" "view_3" {
  for_each = toset(local.tier_3)

  dataset_id          = google_bigquery_dataset.this[local.view_home[each.key].layer].dataset_id
  table_id            = local.view_home[each.key].name
  description         = try(local.view_words[each.key].description, null)
  schema              = try(local.view_words[each.key].schema, null)
  deletion_protection = false

  view {
    query          = local.view_query[each.key]
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.view_2]
}

# Dashboards read the reporting dataset only: it is authorised on the datasets that its views read.
resource "google_bigquery_dataset_access" "authorised_reporting" {
  for_each = toset(["curated", "kpi", "ops"])

  dataset_id = google_bigquery_dataset.this[each.key].dataset_id
  dataset {
    target_types = ["VIEWS"]
    dataset {
      project_id = var.project
      dataset_id = google_bigquery_dataset.this["reporting"].dataset_id
    }
  }
}

# SQL functions: `CREATE OR REPLACE FUNCTION dataset.name(arg TYPE, ...) RETURNS TYPE AS (body);`
locals {
  routine_files = fileset("${local.warehouse}/routines", "*/*.sql")
  routine_parts = {
    for f in local.routine_files : replace(trimsuffix(f, ".sql"), "/", ".") => regex(
      "(?s)CREATE OR REPLACE FUNCTION\\s+\\S+?\\s*\\(([^)]*)\\)\\s*RETURNS\\s+(\\w+)\\s*(?:OPTIONS\\s*\\([^)]*\\)\\s*)?AS\\s*\\((.*)\\)\\s*;?\\s*$",
      file("${local.warehouse}/routines/${f}")
    )
  }
}

resource "google_bigquery_routine" "this" {
  for_each = local.routine_parts

  dataset_id      = google_bigquery_dataset.this[trimprefix(split(".", each.key)[0], "inventory_")].dataset_id
  routine_id      = split(".", each.key)[1]
  routine_type    = "SCALAR_FUNCTION"
  language        = "SQL"
  return_type     = jsonencode({ typeKind = each.value[1] })
  definition_body = replace(each.value[2], "/\\binventory_(raw|curated|kpi|reporting|ops)\\./", "`${var.project}`.${var.dataset_prefix}inventory_$${1}.")

  dynamic "arguments" {
    for_each = [for a in split(",", each.value[0]) : split(" ", trimspace(a)) if trimspace(a) != ""]
    content {
      name      = arguments.value[0]
      data_type = jsonencode({ typeKind = arguments.value[1] })
    }
  }
}
