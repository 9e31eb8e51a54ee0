#!/usr/bin/env bash
# The zips, each under the name of its content: one that already exists is the same.
set -euo pipefail
cd "$(dirname "$0")/../.."
gcloud storage cp --no-clobber build/functions/*.zip "gs://${ARTIFACTS_BUCKET:-$PROJECT-artifacts}/functions/"
