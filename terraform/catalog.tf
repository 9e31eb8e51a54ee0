# The catalogue: what a column means, whose feed it is and how fresh it should be, from the contracts.
# (BigQuery tables get their own Dataplex entries and column lineage by themselves, since the APIs are on.)

locals {
  catalog = var.optional.catalog ? 1 : 0

  # feed -> hours after which its newest load is late; units as in shared/stockflow/contracts.py
  hours   = { h = 1, hour = 1, hours = 1, d = 24, day = 24, days = 24, w = 168, week = 168, weeks = 168 }
  latency = { for feed, doc in local.contracts : feed => one([for s in doc.slaProperties : s if s.property == "latency"]) }

  freshness_hours = { for feed, s in local.latency : feed => s.value * local.hours[lower(s.unit)] }
}

resource "google_dataplex_aspect_type" "contract" {
  count = local.catalog

  aspect_type_id    = "stockflow-contract"
  location          = local.region
  display_name      = "Stockflow contract"
  description       = "Who owns a feed, its version and how fresh it should be."
  metadata_template = file("${path.module}/schemas/contract-aspect.json")

  depends_on = [google_project_service.api]
}

resource "google_dataplex_aspect_type" "kpi" {
  count = local.catalog

  aspect_type_id    = "stockflow-kpi"
  location          = local.region
  display_name      = "Stockflow KPI"
  description       = "Who owns a KPI, and how it is computed: `stockflow catalog export` prints it for each table."
  metadata_template = file("${path.module}/schemas/kpi-aspect.json")

  depends_on = [google_project_service.api]
}

resource "google_dataplex_aspect_type" "quality" {
  count = local.catalog

  aspect_type_id    = "stockflow-quality"
  location          = local.region
  display_name      = "Stockflow quality"
  description       = "What became of a feed's rows, day by day, and how fresh it is: `stockflow catalog publish --quality` says it."
  metadata_template = file("${path.module}/schemas/quality-aspect.json")

  depends_on = [google_project_service.api]
}

resource "google_dataplex_entry_type" "feed" {
  count = local.catalog

  entry_type_id = "stockflow-feed"
  location      = local.region
  display_name  = "Stockflow feed"
  description   = "A kind of file that people drop."

  required_aspects {
    type = google_dataplex_aspect_type.contract[0].name
  }
}

resource "google_dataplex_entry_group" "feeds" {
  count = local.catalog

  entry_group_id = "stockflow-feeds"
  location       = local.region
  display_name   = "Stockflow feeds"
  description    = "The feeds of the landing bucket, one entry per contract."

  depends_on = [google_project_service.api]
}

resource "google_dataplex_entry" "feed" {
  for_each = { for feed, doc in local.contracts : feed => doc if var.optional.catalog }

  entry_group_id = google_dataplex_entry_group.feeds[0].entry_group_id
  entry_id       = each.key
  location       = local.region
  # by the project's number: the provider refuses an entry type named by the id
  entry_type = "projects/${data.google_project.this.number}/locations/${local.region}/entryTypes/${google_dataplex_entry_type.feed[0].entry_type_id}"

  entry_source {
    display_name = each.key
    description  = try(each.value.description.purpose, "")
    system       = "Cloud Storage"
    platform     = "Google Cloud"
    resource     = "gs://${google_storage_bucket.this["landing"].name}/${each.key}/"
  }

  aspects {
    aspect_key = "${data.google_project.this.number}.${local.region}.${google_dataplex_aspect_type.contract[0].aspect_type_id}"
    aspect {
      data = jsonencode({
        owner           = try([for m in each.value.team : m.username if m.role == "owner"][0], "")
        version         = tostring(each.value.version)
        freshness_hours = local.freshness_hours[each.key]
      })
    }
  }
}
