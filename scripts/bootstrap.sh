#!/bin/sh
# Makes .venv: Python 3.13 with everything that the lock names. Any Python 3 with pip is enough to start from.
# Quick when nothing changed since the last time. Prints what it does on standard error.
set -eu
cd "$(dirname "$0")/.."

VERSION=3.13
STATE=.stockflow
STAMP=.venv/.stockflow-lock

say() { echo "bootstrap: $*" >&2; }
die() { say "$*"; exit 1; }

lock_hash() { cat uv.lock pyproject.toml | cksum; }

up_to_date() {
    [ -x .venv/bin/stockflow ] && [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(lock_hash)" ]
}

# A pyenv shim is on PATH but does not run: only what answers with the right version counts.
is_right() {
    [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$VERSION" ]
}

find_python() {
    for name in "python$VERSION" python3 python; do
        if command -v "$name" >/dev/null 2>&1 && is_right "$name"; then
            command -v "$name"
            return
        fi
    done
    for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/$VERSION*/bin/python; do
        if is_right "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

any_python() {
    for name in python3 python; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info[0] != 3)' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
}

# uv from PATH, from an earlier run, or from pip: into a venv of its own, or into a folder where venv is missing.
find_uv() {
    for candidate in "$(command -v uv || true)" "$STATE/uv/bin/uv"; do
        if [ -n "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    base=$(any_python)
    [ -n "$base" ] || die "no Python 3 on PATH: install one, or uv (https://docs.astral.sh/uv/)"
    say "fetching uv with $base"
    mkdir -p "$STATE"
    rm -rf "$STATE/uv"
    if "$base" -m venv "$STATE/uv" >/dev/null 2>&1; then
        "$STATE/uv/bin/python" -m pip install --quiet "uv>=0.9" >&2
    else
        "$base" -m pip install --quiet --target "$STATE/uv" "uv>=0.9" >&2
    fi
    [ -x "$STATE/uv/bin/uv" ] || die "pip could not install uv: see its message above"
    echo "$STATE/uv/bin/uv"
}

up_to_date && exit 0
uv=$(find_uv) || exit 1
python=$(find_python)
if [ -n "$python" ]; then
    UV_PYTHON_DOWNLOADS=never
    export UV_PYTHON_DOWNLOADS
else
    say "no Python $VERSION here: uv fetches one"
    "$uv" python install "$VERSION" >&2 || die "uv could not fetch Python $VERSION: install it, or put it on PATH"
    python=$VERSION
fi
say "installing into .venv with Python from $python"
# Compiled once: with PYTHONDONTWRITEBYTECODE, which containers like to set, each process would compile all it imports.
"$uv" sync --locked --quiet --compile-bytecode --python "$python" || die "uv sync failed: see its message above"
lock_hash > "$STAMP"
