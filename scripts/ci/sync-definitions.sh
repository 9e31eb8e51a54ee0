#!/usr/bin/env bash
# KPI definitions go to their bucket without a deployment, once the check passed.
set -euo pipefail
cd "$(dirname "$0")/../.."
.venv/bin/stockflow kpi check
gcloud storage rsync --recursive --delete-unmatched-destination-objects \
  functions/kpi/definitions "gs://${DEFINITIONS_BUCKET:-$PROJECT-definitions}/kpi"
