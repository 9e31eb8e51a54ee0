variable "project" {
  description = "Project id that holds the environment."
  type        = string
}

variable "environment" {
  description = "Name of the environment: prod, dev, ... Each has a project of its own."
  type        = string
  default     = "prod"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment must be 2 to 12 lower-case letters and digits, such as prod or dev."
  }
}

variable "dataset_prefix" {
  description = "Prefix of the dataset names, such as dev_. Empty in a project of the environment's own."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([a-z][a-z0-9]*_)?$", var.dataset_prefix))
    error_message = "dataset_prefix must be empty or lower-case and end with an underscore, such as dev_."
  }
}

variable "release" {
  description = "What `stockflow package` printed: each function's zip (object name in the artifacts bucket) and code version. Cloud Build passes it; see docs/deploy.md."
  type = map(object({
    object  = string
    version = string
  }))

  validation {
    condition     = length(setsubtract(["ingest", "validate", "transform", "kpi"], keys(var.release))) == 0
    error_message = "release must name a zip for each of ingest, validate, transform and kpi."
  }
}

variable "deletion_protection" {
  description = "Refuse to destroy what holds data. Off only where an environment is torn down on purpose."
  type        = bool
  default     = true
}

variable "notification_emails" {
  description = "Who is told when an alert opens."
  type        = set(string)
  default     = []
}

variable "access" {
  description = "Groups (as IAM members) by what they may see or do."
  type = object({
    analysts   = optional(list(string), []) # read curated, kpi and reporting, without personal data
    engineers  = optional(list(string), []) # replay, read everything but personal data
    replayers  = optional(list(string), []) # try a replay and promote it: sees and writes personal data, too
    pii        = optional(list(string), []) # read the columns tagged pii
    dashboards = optional(list(string), []) # read reporting only
    publishers = optional(list(string), []) # see what analysts see, and publish KPI definitions
  })
  default = {}
}

variable "uploaders" {
  description = "Who may drop files where: name -> IAM member and the prefix (feed, or feed/supplier) it is limited to."
  type = map(object({
    member = string
    prefix = string
  }))
  default = {}

  validation {
    condition     = alltrue([for u in values(var.uploaders) : !contains(["allUsers", "allAuthenticatedUsers"], u.member)])
    error_message = "An uploader must be a named identity."
  }
}

variable "location_rows" {
  description = "Row security: location code -> IAM members who see that location's rows of the curated facts, and nothing else. Empty: no row policies."
  type        = map(list(string))
  default     = {}
}

variable "budget" {
  description = "Monthly budget in the billing account's currency; null makes none."
  type = object({
    billing_account = string
    amount          = number
  })
  default = null
}

variable "secrets" {
  description = "Function -> environment variable -> Secret Manager secret id. The values are added outside Terraform."
  type        = map(map(string))
  default     = {}
}

variable "network" {
  description = "Direct VPC egress for the functions: network and subnetwork self links; null keeps the default network path."
  type = object({
    network    = string
    subnetwork = string
  })
  default = null
}

variable "kms_key" {
  description = "Cloud KMS key (full name) that encrypts buckets, topics, datasets, functions and the workers of Dataflow; null uses Google's keys."
  type        = string
  default     = null
}

variable "optional" {
  description = "Parts that cost or come later: off until switched on."
  type = object({
    composer   = optional(bool, false) # Cloud Composer 3: scheduled backfills
    dataflow   = optional(bool, false) # files too large for one call of ingest (dataflow_image, too)
    monitoring = optional(bool, true)  # dashboards, alerts, SLOs
    catalog    = optional(bool, true)  # Dataplex entries and lineage
    cicd       = optional(bool, false) # Cloud Build triggers
  })
  default = {}
}

variable "settle_seconds" {
  description = "How long an apply waits, where Google answers before it is everywhere: after the builder's grants, after new log-based metrics."
  type = object({
    grants  = optional(number, 90)
    metrics = optional(number, 600)
  })
  default = {}
}

variable "repository" {
  description = "GitHub repository (connected to Cloud Build) that the triggers watch."
  type = object({
    owner = string
    name  = string
  })
  default = null
}
