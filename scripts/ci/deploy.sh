#!/usr/bin/env sh
# Apply the plan that was approved. Zips are named by their content, so only changed functions change.
# The release that was live is kept first: rollback.sh goes back to it.
set -eu
cd "$(dirname "$0")/../.."
build=$PWD/build
rm -f "$build/deploy.ok" "$build/smoke.ok"
echo null > "$build/previous.json"
cd terraform
[ "${TERRAFORM_INIT:-1}" = 0 ] || terraform init -input=false -backend-config="bucket=$PROJECT-terraform-state"
before=$(terraform output -json release 2>/dev/null) && printf '%s\n' "$before" > "$build/previous.json"
# BigQuery takes five changes of a dataset's metadata in ten seconds, and each grant on a dataset is one.
terraform apply -input=false -parallelism=4 "$build/plan.bin"
touch "$build/deploy.ok"
