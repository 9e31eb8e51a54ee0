#!/usr/bin/env bash
# Tests that need no emulator.
set -euo pipefail
cd "$(dirname "$0")/../.."
make test-unit
