terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = "~> 8.0"
    }
  }

  # The bucket is made by the bootstrap step (docs/deploy.md) and named at init:
  #   terraform init -backend-config=bucket=<project>-terraform-state
  backend "gcs" {
    prefix = "stockflow"
  }
}

provider "google" {
  project        = var.project
  region         = local.region
  default_labels = local.labels
  # Quota and billing of API calls go to this project, whoever runs Terraform.
  user_project_override = true
  billing_project       = var.project
}

provider "google-beta" {
  project        = var.project
  region         = local.region
  default_labels = local.labels

  user_project_override = true
  billing_project       = var.project
}
