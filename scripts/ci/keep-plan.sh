#!/usr/bin/env bash
# Keep the plan of a commit, with all that deploy.sh needs to apply that plan and no other. COMMIT names it.
set -euo pipefail
cd "$(dirname "$0")/../.."
gcloud storage cp build/plan.bin build/plan.txt build/release.auto.tfvars.json terraform/.terraform.lock.hcl \
  "gs://${ARTIFACTS_BUCKET:-$PROJECT-artifacts}/plans/$COMMIT/"
