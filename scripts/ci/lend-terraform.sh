#!/usr/bin/env sh
# The terraform binary, for the tests of a later step whose image has none (it is one static file).
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/bin
cp "$(command -v terraform)" build/bin/terraform
