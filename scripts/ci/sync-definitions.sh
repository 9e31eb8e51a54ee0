#!/usr/bin/env bash
# KPI definitions go to their bucket without a deployment, once the check passed (CHECKED=1: an earlier step ran it).
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "${CHECKED:-0}" = 1 ] || scripts/ci/check-definitions.sh
gcloud storage rsync --recursive --delete-unmatched-destination-objects \
  functions/kpi/definitions "gs://${DEFINITIONS_BUCKET:-$PROJECT-definitions}/kpi"
