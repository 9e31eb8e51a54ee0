#!/usr/bin/env bash
# Bring the plan of a commit back to where plan.sh had made it. COMMIT names it; without a plan there is nothing to deploy.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build
from=gs://${ARTIFACTS_BUCKET:-$PROJECT-artifacts}/plans/$COMMIT
gcloud storage cp "$from/plan.bin" "$from/plan.txt" "$from/release.auto.tfvars.json" "$from/.terraform.lock.hcl" build/
mv build/.terraform.lock.hcl terraform/
