#!/usr/bin/env bash
# The DAGs' package, to the registry that terraform/composer.tf makes. COMPOSER=off, the default, has none. A version
# that already exists is the same content.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${COMPOSER:-off}" != on ]; then
    echo "Composer is off: nothing to publish"
    exit 0
fi
url=${PYTHON_REGISTRY:-https://$REGION-python.pkg.dev/$PROJECT/stockflow-composer/}
metadata=http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token
if [ -z "${TOKEN:-}" ]; then
    TOKEN=$(curl -sSf -H "Metadata-Flavor: Google" "$metadata" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
fi
export UV_PUBLISH_USERNAME=oauth2accesstoken UV_PUBLISH_PASSWORD=$TOKEN
.venv/bin/uv publish --publish-url "$url" --check-url "${url}simple/" build/functions/*.whl
