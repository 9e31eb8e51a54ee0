# Metrics from the log line that each finished stage writes, alerts, SLOs, a dashboard.

locals {
  monitored        = var.optional.monitoring ? 1 : 0
  functions_filter = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=monitoring.regex.full_match(\"stockflow-(${join("|", local.functions)})\")"

  # metric -> event and numeric field of jsonPayload (null counts lines); buckets double from ``scale`` on
  stage_metrics = {
    files         = { event = "stage_finished", field = null, unit = "1", scale = 1, text = "Stages finished" }
    rows          = { event = "stage_finished", field = "rows", unit = "1", scale = 1, text = "Rows that went on" }
    rejects       = { event = "stage_finished", field = "rejects", unit = "1", scale = 1, text = "Lines that could not be read" }
    quarantined   = { event = "stage_finished", field = "quarantined", unit = "1", scale = 1, text = "Rows refused" }
    refused_share = { event = "stage_finished", field = "refused_share", unit = "1", scale = 0.0125, text = "Share of the judged rows that was refused" }
    seconds       = { event = "stage_finished", field = "seconds", unit = "s", scale = 0.01, text = "Seconds a stage worked" }
    age           = { event = "stage_finished", field = "age_seconds", unit = "s", scale = 0.01, text = "Seconds from landing to the end of the stage" }
    late          = { event = "freshness", field = "hours_late", unit = "h", scale = 0.125, text = "Hours after its time limit that the newest load or KPI is missing" }
  }
  stage_labels = ["stage", "feed", "state"]
}

resource "google_logging_metric" "stage" {
  for_each = local.stage_metrics

  name        = "stockflow/stage_${each.key}"
  description = "${each.value.text}, by stage, feed and state."
  filter      = "resource.type=\"cloud_run_revision\" AND jsonPayload.event=\"${each.value.event}\"${each.value.field == null ? "" : " AND jsonPayload.${each.value.field}>=0"}"

  label_extractors = { for l in local.stage_labels : l => "EXTRACT(labels.${l})" }
  value_extractor  = each.value.field == null ? null : "EXTRACT(jsonPayload.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = each.value.field == null ? "INT64" : "DISTRIBUTION"
    unit        = each.value.unit

    dynamic "labels" {
      for_each = local.stage_labels
      content {
        key         = labels.value
        value_type  = "STRING"
        description = "The ${labels.value} of the log line."
      }
    }
  }

  dynamic "bucket_options" {
    for_each = each.value.field == null ? [] : [1]
    content {
      exponential_buckets {
        num_finite_buckets = 40
        growth_factor      = 2
        scale              = each.value.scale
      }
    }
  }

  depends_on = [google_project_service.api]
}

# An alert or SLO on a metric that Cloud Monitoring does not know yet is refused (404): a new log-based metric takes up
# to ten minutes, those of Cloud Run, Pub/Sub and BigQuery appear with what they measure.
resource "terraform_data" "metrics_settled" {
  count = local.monitored

  triggers_replace = sort([for m in google_logging_metric.stage : m.name])

  provisioner "local-exec" {
    command = "sleep ${var.settle_seconds.metrics}"
  }

  depends_on = [google_cloudfunctions2_function.this, google_pubsub_subscription.push, google_bigquery_table.ops]
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.notification_emails

  display_name = "Stockflow: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.api]
}

# One table of alerts: what, over what time, above which number, and what to do (docs/runbook.md).
locals {
  stage_metric = { for k in keys(local.stage_metrics) : k => "metric.type=\"logging.googleapis.com/user/${google_logging_metric.stage[k].name}\" AND resource.type=\"cloud_run_revision\"" }

  alerts = {
    errors = {
      text       = "A function fails more than 5 % of its calls"
      severity   = "ERROR"
      filter     = "metric.type=\"run.googleapis.com/request_count\" AND ${local.functions_filter} AND metric.labels.response_code_class=\"5xx\""
      per        = "metric.type=\"run.googleapis.com/request_count\" AND ${local.functions_filter}"
      aligner    = "ALIGN_RATE"
      reducer    = "REDUCE_SUM"
      group      = ["resource.label.service_name"]
      comparison = "COMPARISON_GT"
      threshold  = 0.05
      duration   = "300s"
      doc        = "A transient error is retried, then dead-lettered. Read the function's ERROR lines; `stockflow explain LOAD` shows the load."
    }
    dead_letters = {
      text       = "Dead letters are waiting"
      severity   = "ERROR"
      filter     = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\".*${local.defaults.dead_letter_subscription_suffix}\")"
      per        = null
      aligner    = "ALIGN_MAX"
      reducer    = "REDUCE_MAX"
      group      = ["resource.label.subscription_id"]
      comparison = "COMPARISON_GT"
      threshold  = 0
      duration   = "0s"
      doc        = "An event failed ${local.defaults.max_delivery_attempts} times. `stockflow deadletters list` shows it with its last error; `retry` sends it again."
    }
    backlog = {
      text       = "A stage is more than fifteen minutes behind"
      severity   = "WARNING"
      filter     = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\"${join("|", keys(local.pipeline.subscriptions))}\")"
      per        = null
      aligner    = "ALIGN_MAX"
      reducer    = "REDUCE_MAX"
      group      = ["resource.label.subscription_id"]
      comparison = "COMPARISON_GT"
      threshold  = 900
      duration   = "300s"
      doc        = "Events are waiting: the function is slow, failing or at its instance limit."
    }
    failed = {
      text       = "A load failed and will not be retried"
      severity   = "ERROR"
      filter     = "${local.stage_metric["files"]} AND metric.labels.state=\"failed\""
      per        = null
      aligner    = "ALIGN_DELTA"
      reducer    = "REDUCE_SUM"
      group      = ["metric.label.feed", "metric.label.stage"]
      comparison = "COMPARISON_GT"
      threshold  = 0
      duration   = "0s"
      doc        = "`stockflow loads --state failed` shows it with the reason; no other load waits for it. When the cause is fixed: `stockflow loads retry LOAD`."
    }
    held = {
      text       = "A load is on hold and needs a decision"
      severity   = "WARNING"
      filter     = "${local.stage_metric["files"]} AND metric.labels.state=\"held\""
      per        = null
      aligner    = "ALIGN_DELTA"
      reducer    = "REDUCE_SUM"
      group      = ["metric.label.feed"]
      comparison = "COMPARISON_GT"
      threshold  = 0
      duration   = "0s"
      doc        = "`stockflow loads --state held` shows it with the reason; no KPI counts it. If it is right: `stockflow loads release LOAD`, else `stockflow loads reject LOAD`."
    }
    quarantine_share = {
      text       = "More than 5 % of a load's rows are refused"
      severity   = "WARNING"
      filter     = "${local.stage_metric["refused_share"]} AND metric.labels.stage=\"validate\""
      per        = null
      aligner    = "ALIGN_PERCENTILE_99"
      reducer    = "REDUCE_MAX"
      group      = ["metric.label.feed"]
      comparison = "COMPARISON_GT"
      threshold  = 0.05
      duration   = "0s"
      doc        = "`stockflow quarantine list` says which rule; the owner of the feed's contract knows the sender."
    }
    freshness = {
      text       = "A feed is late by more than an hour"
      severity   = "WARNING"
      filter     = "${local.stage_metric["late"]} AND metric.labels.stage=\"ingest\""
      per        = null
      aligner    = "ALIGN_PERCENTILE_99"
      reducer    = "REDUCE_MAX"
      group      = ["metric.label.feed"]
      comparison = "COMPARISON_GT"
      threshold  = 1
      duration   = "0s"
      doc        = "The feed's contract says how old its newest file may be (slaProperties, latency). Look for rejected files with `stockflow loads --feed FEED`, else ask its owner."
    }
    kpi_staleness = {
      text       = "KPIs are not refreshed"
      severity   = "ERROR"
      filter     = "${local.stage_metric["late"]} AND metric.labels.stage=\"kpi\""
      per        = null
      aligner    = "ALIGN_PERCENTILE_99"
      reducer    = "REDUCE_MAX"
      group      = []
      comparison = "COMPARISON_GT"
      threshold  = 1
      duration   = "0s"
      doc        = "No KPI was refreshed within the time allowed for the most frequent feed. `stockflow loads` shows how far the loads are."
    }
    latency = {
      text       = "A function's slowest calls take more than five minutes"
      severity   = "WARNING"
      filter     = "metric.type=\"run.googleapis.com/request_latencies\" AND ${local.functions_filter}"
      per        = null
      aligner    = "ALIGN_PERCENTILE_99"
      reducer    = "REDUCE_MAX"
      group      = ["resource.label.service_name"]
      comparison = "COMPARISON_GT"
      threshold  = 300000
      duration   = "600s"
      doc        = "A push must be acknowledged within ten minutes. Larger files must be split."
    }
    memory = {
      text       = "A function uses more than 90 % of its memory"
      severity   = "WARNING"
      filter     = "metric.type=\"run.googleapis.com/container/memory/utilizations\" AND ${local.functions_filter}"
      per        = null
      aligner    = "ALIGN_PERCENTILE_99"
      reducer    = "REDUCE_MAX"
      group      = ["resource.label.service_name"]
      comparison = "COMPARISON_GT"
      threshold  = 0.9
      duration   = "300s"
      doc        = "Raise memory in pipeline.yaml, or lower the concurrency."
    }
    cost = {
      text       = "BigQuery scans more than two terabytes in a day"
      severity   = "WARNING"
      filter     = "metric.type=\"bigquery.googleapis.com/query/statement_scanned_bytes_billed\" AND resource.type=\"bigquery_project\""
      per        = null
      aligner    = "ALIGN_SUM"
      reducer    = "REDUCE_SUM"
      group      = []
      comparison = "COMPARISON_GT"
      threshold  = 2 * pow(1024, 4)
      duration   = "0s"
      doc        = "The budget shows the amount; INFORMATION_SCHEMA.JOBS shows which query (docs/observability.md)."
    }
  }
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = { for key, alert in local.alerts : key => alert if var.optional.monitoring }

  display_name          = "Stockflow: ${each.value.text}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = values(google_monitoring_notification_channel.email)[*].id

  conditions {
    display_name = each.value.text
    condition_threshold {
      filter             = each.value.filter
      denominator_filter = each.value.per
      comparison         = each.value.comparison
      threshold_value    = each.value.threshold
      duration           = each.value.duration

      aggregations {
        alignment_period     = each.key == "cost" ? "86400s" : "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.group
      }

      dynamic "denominator_aggregations" {
        for_each = each.value.per == null ? [] : [1]
        content {
          alignment_period     = "300s"
          per_series_aligner   = each.value.aligner
          cross_series_reducer = each.value.reducer
          group_by_fields      = each.value.group
        }
      }
    }
  }

  documentation {
    content   = each.value.doc
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [terraform_data.metrics_settled]
}

# Lateness is said by each tick of the sweep; that the ticks themselves stop is the one absence to look for.
resource "google_monitoring_alert_policy" "sweep" {
  count = local.monitored

  display_name          = "Stockflow: the sweep is silent"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = values(google_monitoring_notification_channel.email)[*].id

  conditions {
    display_name = "no tick for an hour"
    condition_absent {
      filter   = local.stage_metric["late"]
      duration = "3600s"
      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "Lost events are not made up for and lateness is not seen. Is the scheduler's job paused, does ingest fail? `stockflow sweep` does by hand what the tick does."
    mime_type = "text/markdown"
  }

  depends_on = [terraform_data.metrics_settled]
}

# --- Service levels -------------------------------------------------------------------------------------------

resource "google_monitoring_custom_service" "this" {
  count = local.monitored

  service_id   = "stockflow-${var.environment}"
  display_name = "Stockflow (${var.environment})"

  depends_on = [google_project_service.api]
}

resource "google_monitoring_slo" "calls" {
  count = local.monitored

  service             = google_monitoring_custom_service.this[0].service_id
  slo_id              = "calls"
  display_name        = "99 of 100 calls of a function succeed, over 28 days"
  goal                = 0.99
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      total_service_filter = "metric.type=\"run.googleapis.com/request_count\" AND ${local.functions_filter}"
      bad_service_filter   = "metric.type=\"run.googleapis.com/request_count\" AND ${local.functions_filter} AND metric.labels.response_code_class=\"5xx\""
    }
  }

  depends_on = [terraform_data.metrics_settled]
}

resource "google_monitoring_slo" "freshness" {
  count = local.monitored

  service             = google_monitoring_custom_service.this[0].service_id
  slo_id              = "file-to-kpi"
  display_name        = "95 of 100 files are in the KPIs within 15 minutes, over 28 days"
  goal                = 0.95
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = "${local.stage_metric["age"]} AND metric.labels.stage=\"kpi\""
      range {
        max = 900
      }
    }
  }

  depends_on = [terraform_data.metrics_settled]
}

resource "google_monitoring_dashboard" "this" {
  count = local.monitored

  dashboard_json = templatefile("${path.module}/dashboards/operations.json.tftpl", {
    environment = var.environment
    functions   = local.functions_filter
    metrics     = local.stage_metric
    # Sums: a distribution's mean would be rows per load. PromQL names a metric with : and _, and its sum with _sum.
    sums = {
      for field, stages in { rows = "ingest", rejects = "ingest", quarantined = "validate|transform" } :
      field => "sum by (feed) (increase(logging_googleapis_com:user_stockflow_stage_${field}_sum{monitored_resource=\"cloud_run_revision\", stage=~\"${stages}\"}[5m]))"
    }
    dead_suffix = local.defaults.dead_letter_subscription_suffix
  })
}

# --- Money ----------------------------------------------------------------------------------------------------

resource "google_billing_budget" "this" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "Stockflow ${var.environment}"

  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }

  amount {
    specified_amount {
      units = tostring(var.budget.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  dynamic "all_updates_rule" {
    for_each = length(var.notification_emails) == 0 ? [] : [1]
    content {
      monitoring_notification_channels = values(google_monitoring_notification_channel.email)[*].id
    }
  }

  depends_on = [google_project_service.api]
}
