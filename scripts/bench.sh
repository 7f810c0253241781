#!/bin/sh
# Views a second: plain nginx, nginx with serve-svc, berthd alone, of the same files in one run. Options are handed on
# to bench/views.py, such as --seconds 10.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh bench
cargo build --release --locked --workspace --bins
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
exec python3 bench/views.py --bin "$target/release" "$@"
