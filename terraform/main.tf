# What the laptop runs, in Google Cloud. The resources themselves are in a file per concern; this one
# reads the two sources that the embedded stack reads too, so that they cannot drift apart.

locals {
  pipeline  = yamldecode(file("${path.module}/../pipeline.yaml"))
  contracts = { for f in fileset("${path.module}/../contracts", "*.yaml") : trimsuffix(f, ".yaml") => yamldecode(file("${path.module}/../contracts/${f}")) }

  region = local.pipeline.region
  labels = {
    app         = "stockflow"
    environment = var.environment
    managed_by  = "terraform"
  }
  defaults = local.pipeline.subscription_defaults

  buckets = { for key, bucket in local.pipeline.buckets : key => merge(bucket, { name = "${var.project}-${bucket.suffix}" }) }
  dataset = { for key, dataset in local.pipeline.datasets : key => "${var.dataset_prefix}${dataset.name}" }

  feeds = {
    for feed, doc in local.contracts : feed => {
      description = try(doc.schema[0].description, feed)
      custom      = { for p in try(doc.customProperties, []) : p.property => p.value }
      columns = [
        for p in doc.schema[0].properties : {
          name        = p.name
          type        = p.physicalType
          description = try(p.description, "")
          pii         = contains(try(p.tags, []), "pii")
          derived     = try({ for c in p.customProperties : c.property => c.value }["derived"], false)
        }
      ]
    }
  }
}

data "google_project" "this" {}

# Every API that the environment uses. Everything else depends on this, so one apply of an empty
# project works (the APIs that Terraform itself needs are enabled by the bootstrap step).
resource "google_project_service" "api" {
  for_each = toset(concat(
    [
      "artifactregistry", "bigquery", "bigquerydatapolicy", "bigquerystorage", "cloudbuild", "cloudfunctions",
      "cloudresourcemanager", "cloudscheduler", "datacatalog", "eventarc", "iam", "iamcredentials", "logging",
      "monitoring", "pubsub", "run", "secretmanager", "serviceusage", "storage",
    ],
    # Where the Data Lineage API is on, BigQuery reports the lineage of every job by itself, which is billed.
    var.optional.catalog ? ["datalineage", "dataplex"] : [],
    var.optional.composer ? ["composer"] : [],
    var.optional.dataflow ? ["dataflow"] : [],
    var.budget == null ? [] : ["billingbudgets"],
    var.kms_key == null ? [] : ["cloudkms"],
    var.network == null && !var.optional.dataflow ? [] : ["compute"],
  ))

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
