#!/usr/bin/env bash
# Once for a project, by its owner: what Terraform needs before its first apply (docs/deploy.md).
# PROJECT and ENVIRONMENT name it. Running it again changes nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
region=${REGION:-europe-west1}
apis=(cloudresourcemanager.googleapis.com iam.googleapis.com serviceusage.googleapis.com storage.googleapis.com)
gcloud services enable "${apis[@]}" --project="$PROJECT"

# The state, and the zips: a function cannot be made before its zip is there.
for bucket in "$PROJECT-terraform-state" "$PROJECT-artifacts"; do
  gcloud storage buckets describe "gs://$bucket" --project="$PROJECT" >/dev/null 2>&1 ||
    gcloud storage buckets create "gs://$bucket" --project="$PROJECT" --location="$region" \
      --uniform-bucket-level-access --public-access-prevention
done
gcloud storage buckets update "gs://$PROJECT-terraform-state" --versioning
scripts/ci/package.sh
scripts/ci/upload.sh

# From here on the zips' bucket is Terraform's: the first plan imports it (`terraform import` would need the rest of
# the project to be there). Once it is in the state, the file is without effect.
cat > terraform/adopt.tf <<TF
import {
  to = google_storage_bucket.this["artifacts"]
  id = "$PROJECT-artifacts"
}
TF
