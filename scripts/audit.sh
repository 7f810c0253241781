#!/bin/sh
# Known advisories, licences and sources of every crate that is built in (deny.toml). Not part of `make test`: it
# needs the network, and builds its tool at the first run.
set -eu
cd "$(dirname "$0")/.."

if ! cargo deny --version >/dev/null 2>&1; then
    echo "berth: building cargo-deny, once; this takes some minutes"
    # A target folder of its own: an install that shares ours waits for its lock, and makes the next build wait.
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    CARGO_TARGET_DIR=$folder cargo install --locked --quiet cargo-deny
    rm -rf "$folder"
fi
exec cargo deny --workspace check
