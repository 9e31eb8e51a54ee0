#!/usr/bin/env bash
# The image of the pipeline for large files, built by Cloud Build into the registry that terraform/dataflow.tf makes.
# Prints its name with the digest, for Terraform's dataflow_image. Needs gcloud, PROJECT and REGION.
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$REGION-docker.pkg.dev/$PROJECT/stockflow-dataflow/large-file
gcloud builds submit --project "$PROJECT" --region "$REGION" --config dataflow/cloudbuild.yaml \
    --substitutions "_IMAGE=$image" . >&2
gcloud artifacts docker images describe "$image:latest" --project "$PROJECT" \
    --format 'value(image_summary.fully_qualified_digest)'
