#!/usr/bin/env bash
# The analysts' KPI definitions: headers, SQL, order, worked examples.
set -euo pipefail
cd "$(dirname "$0")/../.."
.venv/bin/stockflow kpi check
