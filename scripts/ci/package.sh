#!/usr/bin/env bash
# Each function's zip, and build/release.auto.tfvars.json that names them for Terraform.
set -euo pipefail
cd "$(dirname "$0")/../.."
.venv/bin/stockflow package --out build/functions --release build/release.auto.tfvars.json
