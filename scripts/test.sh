#!/bin/sh
# All that has to hold before a change goes in. Each stage says its name; the last words are the test runner's.
set -eu
cd "$(dirname "$0")/.."

begun=$(date +%s)
stage() {
    printf '\n== %s (at %s s)\n' "$1" "$(($(date +%s) - begun))"
}

stage "what the tests need"
scripts/install.sh test
scripts/clients.sh

stage "format"
cargo fmt --all --check

stage "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

stage "the page"
scripts/build-page.sh
(cd web && npm run --silent format:check && npm run --silent lint && npm run --silent check && npm run --silent test)

# What measures the page is apart from what it is built with: it is large, and no build needs it.
(cd web/lighthouse && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error; })

# The end-to-end tests start the programs themselves.
stage "programs"
cargo build --workspace --bins --locked

stage "tests"
exec cargo test --workspace --locked
