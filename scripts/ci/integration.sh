#!/usr/bin/env bash
# Tests on the embedded stack: real emulators, real function processes.
set -euo pipefail
cd "$(dirname "$0")/../.."
make test-integration
