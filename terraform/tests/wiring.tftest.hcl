# Applied against the schema-serving provider of tests/terraform: what only exists after an apply.

variables {
  project = "test-project"
  release = {
    ingest    = { object = "functions/ingest-1.zip", version = "1" }
    validate  = { object = "functions/validate-1.zip", version = "1" }
    transform = { object = "functions/transform-1.zip", version = "1" }
    kpi       = { object = "functions/kpi-1.zip", version = "1" }
  }
  notification_emails = ["a@example.com"]
}

run "push_goes_to_the_function_with_its_audience_and_alerts_to_the_channel" {
  assert {
    condition = alltrue([
      for name, sub in google_pubsub_subscription.push :
      sub.push_config[0].push_endpoint == sub.push_config[0].oidc_token[0].audience
    ])
    error_message = "The audience of the token must be the URL that is pushed to."
  }
  assert {
    condition = alltrue([
      for name, sub in google_pubsub_subscription.push :
      sub.push_config[0].push_endpoint == google_cloudfunctions2_function.this[local.pipeline.subscriptions[name].function].service_config[0].uri
    ])
    error_message = "Each subscription pushes to the function that pipeline.yaml names."
  }
  assert {
    condition = alltrue([
      for name, sub in google_pubsub_subscription.push :
      sub.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead["${name}-dead"].id
    ])
    error_message = "Each subscription dead-letters to its own topic."
  }
  assert {
    condition     = alltrue([for p in google_monitoring_alert_policy.threshold : length(p.notification_channels) == 1])
    error_message = "Every alert must notify."
  }
}

run "a_second_channel_and_a_changed_zip_change_in_place" {
  variables {
    notification_emails = ["a@example.com", "b@example.com"]
    release = {
      ingest    = { object = "functions/ingest-2.zip", version = "2" }
      validate  = { object = "functions/validate-1.zip", version = "1" }
      transform = { object = "functions/transform-1.zip", version = "1" }
      kpi       = { object = "functions/kpi-1.zip", version = "1" }
    }
  }
  assert {
    condition     = alltrue([for p in google_monitoring_alert_policy.threshold : length(p.notification_channels) == 2])
    error_message = "Both channels must be told."
  }
  assert {
    condition     = google_cloudfunctions2_function.this["ingest"].build_config[0].source[0].storage_source[0].object == "functions/ingest-2.zip"
    error_message = "ingest must take the new zip."
  }
  assert {
    condition     = google_cloudfunctions2_function.this["kpi"].service_config[0].environment_variables["STOCKFLOW_CODE_VERSION"] == "1"
    error_message = "kpi must stay as it is."
  }
}
