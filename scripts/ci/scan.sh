#!/usr/bin/env bash
# Terraform against policies; with SCAN_VULNERABILITIES=1 (it asks the advisory database) each lock too.
set -euo pipefail
cd "$(dirname "$0")/../.."
.venv/bin/python -m uv tool run --from checkov==3.3.30 checkov -d terraform \
  --config-file terraform/.checkov.yaml --skip-download --compact --quiet
if [ "${SCAN_VULNERABILITIES:-0}" = 1 ]; then
  for lock in functions/*/requirements.txt; do
    .venv/bin/python -m uv tool run pip-audit --disable-pip --require-hashes -r "$lock"
  done
fi
