#!/bin/sh
# What the tests take from the system where it is there: a browser, for the dashboard. Never fails: what is
# absent is said, and the tests that need it are skipped loudly.
set -u

say() { echo "system-packages: $*" >&2; }

if command -v chromium >/dev/null 2>&1 && command -v chromedriver >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "no chromium here, and it cannot be installed without root and apt: the dashboard is not tested in a browser"
    exit 0
fi
say "installing chromium"
if ! { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends chromium chromium-driver; } >/dev/null; then
    say "apt could not install chromium: the dashboard is not tested in a browser"
fi
exit 0
