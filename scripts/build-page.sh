#!/bin/sh
# Builds the page into web/dist, for nginx and berthd; does nothing when what stands there is of these very sources.
set -eu
cd "$(dirname "$0")/../web"

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    echo "berth: fetching what the page is built with (正在安装网页依赖)"
    npm ci --no-audit --no-fund --loglevel=error
    touch node_modules/.package-lock.json
fi
if [ ! -e dist/index.html ] || [ -n "$(find src public index.html vite.config.ts package-lock.json -newer dist/index.html -print -quit)" ]; then
    npm run --silent build -- --logLevel warn
fi
