#!/usr/bin/env sh
# What an apply would change, for people (build/plan.txt) and for deploy.sh (build/plan.bin).
set -eu
cd "$(dirname "$0")/../.."
build=$PWD/build
mkdir -p "$build"
cd terraform
[ "${TERRAFORM_INIT:-1}" = 0 ] || terraform init -input=false -backend-config="bucket=$PROJECT-terraform-state"
terraform plan -input=false -lock="${PLAN_LOCK:-true}" -out="$build/plan.bin" \
  -var-file="environments/$ENVIRONMENT.tfvars" -var-file="$build/release.auto.tfvars.json" -var="project=$PROJECT"
terraform show -no-color "$build/plan.bin" > "$build/plan.txt"
