#!/bin/sh
# A thumbnail's time and memory against vipsthumbnail, then views a second: plain nginx, nginx with serve-svc, berthd alone, of the same files in one run. Options are handed on
# to bench/views.py, such as --seconds 10.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh bench
cargo build --release --locked --workspace --bins
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cargo build --release --locked -p imaging --example thumbnail
python3 bench/thumbnails.py --program "$target/release/examples/thumbnail"
exec python3 bench/views.py --bin "$target/release" "$@"
