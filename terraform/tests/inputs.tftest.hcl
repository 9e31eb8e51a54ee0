# What the variables refuse, and what the switches do.

variables {
  project = "test-project"
  release = {
    ingest    = { object = "i.zip", version = "1" }
    validate  = { object = "v.zip", version = "1" }
    transform = { object = "t.zip", version = "1" }
    kpi       = { object = "k.zip", version = "1" }
  }
}

run "a_release_without_a_function_is_refused" {
  command = plan
  variables {
    release = { ingest = { object = "i.zip", version = "1" } }
  }
  expect_failures = [var.release]
}

run "an_anonymous_uploader_is_refused" {
  command = plan
  variables {
    uploaders = { anyone = { member = "allUsers", prefix = "sales" } }
  }
  expect_failures = [var.uploaders]
}

run "a_prefix_without_underscore_is_refused" {
  command = plan
  variables {
    dataset_prefix = "dev"
  }
  expect_failures = [var.dataset_prefix]
}

run "what_costs_is_off" {
  command = plan
  assert {
    condition     = length(google_composer_environment.this) == 0 && length(google_service_account.dataflow) == 0 && length(google_cloudbuild_trigger.this) == 0
    error_message = "Composer, Dataflow and the triggers are off until switched on."
  }
}

# One plan for the three, since each plan takes seconds.
run "a_prefix_an_approval_and_rows_by_location" {
  command = plan
  variables {
    dataset_prefix = "dev_"
    optional       = { cicd = true }
    repository     = { owner = "example", name = "stockflow" }
    location_rows  = { PAR01 = ["group:paris@example.com"] }
  }
  assert {
    condition     = google_bigquery_dataset.this["raw"].dataset_id == "dev_inventory_raw"
    error_message = "The dataset must carry the prefix."
  }
  assert {
    condition     = strcontains(local.view_query["inventory_ops.loads"], "`test-project`.dev_inventory_ops.load_stages_latest")
    error_message = "A view must read the prefixed dataset."
  }
  assert {
    condition     = google_cloudbuild_trigger.this["deploy"].approval_config[0].approval_required && !google_cloudbuild_trigger.this["pull-request"].approval_config[0].approval_required
    error_message = "A deployment to production waits for a person; the checks of a pull request do not."
  }
  assert {
    condition     = google_bigquery_row_access_policy.location["sales/PAR01"].filter_predicate == "location_code = 'PAR01'"
    error_message = "A location's readers see that location's rows."
  }
  assert {
    condition     = contains(google_bigquery_row_access_policy.location["sales/all"].grantees, "serviceAccount:stockflow-kpi@test-project.iam.gserviceaccount.com")
    error_message = "The functions must still see every row."
  }
  assert {
    condition     = google_bigquery_row_access_policy.location["sales_history/PAR01"].filter_predicate == "location_code = 'PAR01'"
    error_message = "What was stated before is held to the location, too."
  }
  assert {
    condition     = google_bigquery_table_iam_member.located["sales/group:paris@example.com"].role == "roles/bigquery.dataViewer" && contains(keys(google_project_iam_member.people_jobs), "group:paris@example.com")
    error_message = "Who sees a location's rows may query the table."
  }
}
