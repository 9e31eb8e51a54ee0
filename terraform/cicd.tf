# Cloud Build: a trigger per pull request (checks), one per push to main (checks, plan), and one that applies that plan
# after a person's approval.

locals {
  triggers = var.optional.cicd && var.repository != null ? {
    pull-request = { config = "cloudbuild.pr.yaml", approval = false }
    main         = { config = "cloudbuild.yaml", approval = false }
    # begins with the same push: a person's approval also says that the plan is there
    deploy = { config = "cloudbuild.deploy.yaml", approval = true }
  } : {}
  # a release carries the DAG files, too
  ci_with_composer = length(local.triggers) > 0 && var.optional.composer
  # What CI may do is what an apply of this root needs, resource by resource, without owner or editor; to plan it
  # reads what a pull request's checker reads.
  deployer_roles = length(local.triggers) == 0 ? [] : [
    "roles/artifactregistry.writer", "roles/bigquery.dataOwner", "roles/bigquery.jobUser", "roles/cloudfunctions.developer",
    "roles/cloudscheduler.viewer", "roles/iam.serviceAccountViewer", "roles/logging.configWriter", "roles/logging.logWriter", "roles/monitoring.editor",
    "roles/pubsub.editor", "roles/run.developer", "roles/serviceusage.serviceUsageConsumer",
  ]
}

resource "google_service_account" "deployer" {
  count = length(local.triggers) == 0 ? 0 : 1

  account_id   = "stockflow-deployer"
  display_name = "Stockflow CI"
}

resource "google_project_iam_member" "deployer" {
  for_each = setunion(local.checker_roles, local.deployer_roles)

  project = var.project
  role    = each.key
  member  = google_service_account.deployer[0].member
}

# A pull request runs code that nobody has read yet: its identity may look, so that it can plan, and write logs.
locals {
  # composer.user lists and gets environments
  checker_roles = length(local.triggers) == 0 ? [] : concat(var.optional.composer ? ["roles/composer.user"] : [], [
    "roles/artifactregistry.reader", "roles/bigquery.metadataViewer", "roles/bigquerydatapolicy.viewer", "roles/cloudbuild.builds.viewer",
    "roles/cloudfunctions.viewer", "roles/cloudscheduler.viewer", "roles/datacatalog.viewer", "roles/dataplex.catalogViewer",
    "roles/iam.securityReviewer", "roles/logging.logWriter", "roles/logging.viewer", "roles/monitoring.viewer",
    "roles/pubsub.viewer", "roles/run.viewer", "roles/serviceusage.serviceUsageConsumer", "roles/storage.bucketViewer",
  ])
}

resource "google_service_account" "checker" {
  count = length(local.triggers) == 0 ? 0 : 1

  account_id   = "stockflow-checker"
  display_name = "Stockflow CI of pull requests"
}

resource "google_project_iam_member" "checker" {
  for_each = toset(local.checker_roles)

  project = var.project
  role    = each.key
  member  = google_service_account.checker[0].member
}

# CI gives the functions their identities, and no other.
resource "google_service_account_iam_member" "deployer" {
  for_each = length(local.triggers) == 0 ? {} : merge(
    { for fn in local.functions : fn => google_service_account.function[fn].name },
    { builder = google_service_account.builder.name, pusher = google_service_account.pusher.name },
  )

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deployer[0].member
}

resource "google_storage_bucket_iam_member" "deployer" {
  for_each = length(local.triggers) == 0 ? toset([]) : setunion(
    ["artifacts", "definitions", "landing"], local.ci_with_composer ? ["composer"] : []
  )

  bucket = google_storage_bucket.this[each.key].name
  role   = "roles/storage.objectUser"
  member = google_service_account.deployer[0].member
}

# A plan compares the DAG files with those of the bucket.
resource "google_storage_bucket_iam_member" "checker" {
  count = local.ci_with_composer ? 1 : 0

  bucket = google_storage_bucket.this["composer"].name
  role   = "roles/storage.objectViewer"
  member = google_service_account.checker[0].member
}

resource "google_cloudbuild_trigger" "this" {
  for_each = local.triggers

  name            = "stockflow-${each.key}"
  location        = local.region
  filename        = each.value.config
  service_account = each.key == "pull-request" ? google_service_account.checker[0].id : google_service_account.deployer[0].id
  substitutions = merge(
    { _ENVIRONMENT = var.environment, _REGION = local.region },
    each.key == "main" ? { _COMPOSER = var.optional.composer ? "on" : "off" } : {},
  )

  github {
    owner = var.repository.owner
    name  = var.repository.name

    dynamic "pull_request" {
      for_each = each.key == "pull-request" ? [1] : []
      content {
        branch          = "^main$"
        comment_control = "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
      }
    }
    dynamic "push" {
      for_each = each.key == "pull-request" ? [] : [1]
      content {
        branch = "^main$"
      }
    }
  }

  approval_config {
    approval_required = each.value.approval
  }

  depends_on = [google_project_service.api]
}
