# How long what is kept must make sense as a whole: what is read for something, or names something, does not end before
# it. cli/retention/contradictions.py says the same, word for word (tests/terraform/test_contradictions.py).

locals {
  kept      = local.pipeline.retention
  delivered = local.defaults.retention_days
  year      = 400
  again     = "for so long events are delivered again"
  compared  = "a year, and what is compared with it"
  least     = { keepFilesDays = [local.delivered, local.again], keepRawDays = [local.delivered, local.again], keepCuratedDays = [local.year, local.compared] }

  # The second must not end before the first.
  kept_pairs = [
    ["landing", "raw"], ["staging", "raw"], ["raw", "quarantine"], ["raw", "rejects"], ["staging", "quarantine"],
    ["staging", "rejects"], ["quarantine", "ledger"], ["rejects", "ledger"], ["landing", "ledger"],
  ]

  # feed -> what its contract says otherwise, where it is a whole number
  kept_own = { for feed, f in local.feeds : feed => {
    for name in keys(local.least) : name => tonumber(f.custom[name])
    if try(floor(tonumber(f.custom[name])) == tonumber(f.custom[name]), false)
  } }
  # feed -> all of its numbers
  kept_feed = { for feed, own in local.kept_own : feed => merge(local.kept, {
    landing = try(min([for n in [try(own.keepFilesDays, 0), local.kept.landing] : n if n != 0]...), 0)
    staging = try(min([for n in [try(own.keepFilesDays, 0), local.kept.staging] : n if n != 0]...), 0)
    raw     = try(own.keepRawDays, local.kept.raw)
    curated = try(own.keepCuratedDays, local.kept.curated)
  }) }
  # feed -> how far a KPI looks back at it, and which (python -m functions.kpi.pages)
  lookbacks = jsondecode(file("${path.module}/../warehouse/kpi_lookbacks.json"))

  contradictions = concat(
    [for kind in ["landing", "staging", "raw", "quarantine", "rejects", "ledger"] :
      "pipeline.yaml: ${kind} is kept ${local.kept[kind]} days; expected at least ${local.delivered} (or 0): ${local.again}"
      if local.kept[kind] != 0 && local.kept[kind] < local.delivered
    ],
    [for kind in ["curated"] :
      "pipeline.yaml: ${kind} is kept ${local.kept[kind]} days; expected at least ${local.year} (or 0): ${local.compared}"
      if local.kept[kind] != 0 && local.kept[kind] < local.year
    ],
    [for kind in ["definitions"] :
      "pipeline.yaml: ${kind} is kept ${local.kept[kind]} days; expected 0: a KPI without its definition is not computed any more"
      if local.kept[kind] != 0
    ],
    [for pair in local.kept_pairs :
      "pipeline.yaml: ${pair[0]} is kept ${local.kept[pair[0]] == 0 ? "without limit" : "${local.kept[pair[0]]} days"}, ${pair[1]} only ${local.kept[pair[1]]} days; expected ${pair[1]} at least as long (or 0)"
      if local.kept[pair[1]] != 0 && (local.kept[pair[0]] == 0 || local.kept[pair[1]] < local.kept[pair[0]])
    ],
    flatten([for feed, f in local.feeds : [for name in keys(local.least) :
      "contracts/${feed}.yaml: ${name} is '${f.custom[name]}'; expected a whole number of days"
      if can(f.custom[name]) && !can(local.kept_own[feed][name])
    ]]),
    flatten([for feed, own in local.kept_own : [for name, days in own :
      "contracts/${feed}.yaml: ${name} is ${days} days; expected at least ${local.least[name][0]}: ${local.least[name][1]}"
      if days < local.least[name][0]
    ]]),
    [for feed, own in local.kept_own :
      "contracts/${feed}.yaml: keepFilesDays is ${own.keepFilesDays} days, all of landing ends after ${local.kept.landing}; expected at most ${local.kept.landing}"
      if try(own.keepFilesDays, 0) > local.kept.landing && local.kept.landing != 0
    ],
    [for feed, own in local.kept_own :
      "contracts/${feed}.yaml: keepCuratedDays has no effect: a dimension has no days that end"
      if can(own.keepCuratedDays) && !can(local.feeds[feed].custom.businessDate)
    ],
    flatten([for feed, own in local.kept_own : [for pair in local.kept_pairs :
      "contracts/${feed}.yaml: ${pair[0]} is kept ${local.kept_feed[feed][pair[0]] == 0 ? "without limit" : "${local.kept_feed[feed][pair[0]]} days"}, ${pair[1]} only ${local.kept_feed[feed][pair[1]]} days; expected ${pair[1]} at least as long${pair[1] == "raw" ? "" : " (or 0)"}"
      if(pair[1] == "raw" && (can(own.keepFilesDays) || can(own.keepRawDays)) || pair[0] == "raw" && can(own.keepRawDays))
      && local.kept_feed[feed][pair[1]] != 0
      && (local.kept_feed[feed][pair[0]] == 0 || local.kept_feed[feed][pair[1]] < local.kept_feed[feed][pair[0]])
    ]]),
    [for feed, back in local.lookbacks :
      "${can(local.kept_own[feed].keepCuratedDays) ? "contracts/${feed}.yaml" : "pipeline.yaml"}: ${feed} is kept ${local.kept_feed[feed].curated} days in curated, the KPI ${back.kpi} looks back ${back.days} days at it; expected more than ${back.days} (or 0), or a shorter look-back"
      if try(local.kept_feed[feed].curated, 0) != 0 && try(local.kept_feed[feed].curated, 0) <= back.days
    ],
  )
}

output "retention" {
  description = "How many days what is kept, 0 without limit; what a contract says otherwise for its feed is in `stockflow retention`."
  value       = local.kept

  precondition {
    condition     = length(local.contradictions) == 0
    error_message = "Retention contradicts itself:\n  ${join("\n  ", local.contradictions)}"
  }
}
