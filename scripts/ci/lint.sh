#!/usr/bin/env bash
# Formatting, lint, types.
set -euo pipefail
cd "$(dirname "$0")/../.."
make lint
