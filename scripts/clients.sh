#!/bin/sh
# Installs the upload clients that the end-to-end tests run, at the exact versions of e2e/clients; does nothing when they are there.
set -eu
cd "$(dirname "$0")/../e2e/clients"

# stamp FILE...: what was installed from these files.
stamp() {
    cat "$@" | sha256sum
}

if [ "$(cat node_modules/.installed 2>/dev/null)" != "$(stamp package-lock.json)" ]; then
    echo "berth: installing the clients from npm (安装 npm 客户端)"
    npm ci --loglevel=error
    stamp package-lock.json >node_modules/.installed
fi

if [ "$(cat .venv/.installed 2>/dev/null)" != "$(stamp requirements.txt)" ]; then
    echo "berth: installing the clients from PyPI (安装 PyPI 客户端)"
    rm -rf .venv
    python3 -m venv .venv
    # Exact versions, tried with the Python of Debian 12; what a package says of Python's version is of its makers' machine.
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python -r requirements.txt
    stamp requirements.txt >.venv/.installed
fi
