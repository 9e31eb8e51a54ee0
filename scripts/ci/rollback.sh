#!/usr/bin/env sh
# When the canary did not arrive: apply the release that was live before, then fail the build.
set -eu
cd "$(dirname "$0")/../.."
build=$PWD/build
if [ -f "$build/smoke.ok" ]; then
  echo "The canary arrived: the release stays."
  exit 0
fi
if [ "$(cat "$build/previous.json")" = null ]; then
  echo "The canary did not arrive, and there is no release before this one to go back to." >&2
  exit 1
fi
printf '{"release": %s}\n' "$(cat "$build/previous.json")" > "$build/rollback.tfvars.json"
cd terraform
# Only the functions: what else this commit would change was approved as its plan, and not for this.
terraform apply -input=false -auto-approve -target=google_cloudfunctions2_function.this \
  -var-file="environments/$ENVIRONMENT.tfvars" -var-file="$build/rollback.tfvars.json" -var="project=$PROJECT"
echo "The canary did not arrive: the release before is live again." >&2
exit 1
