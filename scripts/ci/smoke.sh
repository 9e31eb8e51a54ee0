#!/usr/bin/env bash
# A canary file through the deployed environment; build/smoke.ok says that it arrived.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build
rm -f build/smoke.ok
[ -f build/deploy.ok ] || { echo "The deployment did not finish: no canary is sent." >&2; exit 1; }
GOOGLE_CLOUD_PROJECT=$PROJECT .venv/bin/stockflow doctor --cloud --canary
touch build/smoke.ok
