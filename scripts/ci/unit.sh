#!/usr/bin/env bash
# Tests that need no stack; lend-terraform.sh may have left a terraform for them.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/build/bin:$PATH make test-unit test-tools
