#!/bin/sh
# A page of a list of 10,000 and of 1,000,000 images (BERTH_BENCH_ROWS; 0 to do without), a thumbnail's time and memory against vipsthumbnail, then views a second: plain nginx, nginx with serve-svc, berthd alone, of the same files in one run. Options are handed on
# to bench/views.py, such as --seconds 10.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh bench
cargo build --release --locked --workspace --bins
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cargo build --release --locked -p imaging --example thumbnail
rows=${BERTH_BENCH_ROWS:-1000000}
[ "$rows" = 0 ] || cargo run --release --locked -p catalog --example lists -- --rows "$rows"
python3 bench/thumbnails.py --program "$target/release/examples/thumbnail"
exec python3 bench/views.py --bin "$target/release" "$@"
