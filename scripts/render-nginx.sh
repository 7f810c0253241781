#!/bin/sh
# Fills in nginx's template and lays all its files out in FOLDER, for an nginx without the container image:
#
#     BERTH_BLOBS=/var/lib/berth/blobs scripts/render-nginx.sh /etc/berth-nginx
#     mkdir -p /run/berth-nginx && nginx -p /run/berth-nginx -c /etc/berth-nginx/nginx.conf
#
# Each name of the template may be set in the environment; the defaults are those below.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
source=$(cd "$(dirname "$0")/../nginx" && pwd)
folder=$1

# Here, not among the others: its folder may have a space in its name.
BERTH_WEB=${BERTH_WEB:-$(dirname "$source")/web/dist}
defaults="
BERTH_SERVER_NAME=_
BERTH_NGINX_LISTEN=127.0.0.1:8080
BERTH_NGINX_METRICS_LISTEN=127.0.0.1:9080
BERTH_NGINX_ACCESS_LOG=access.log
BERTH_UPLOAD_UPSTREAM=127.0.0.1:8081
BERTH_SERVE_UPSTREAM=127.0.0.1:8082
BERTH_BLOBS=/var/lib/berth/blobs
BERTH_WEB=
BERTH_MAX_REQUEST_BYTES=5368709120
BERTH_CLIENT_CONNECTIONS=64
"

mkdir -p "$folder/conf.d" "$folder/snippets" "$folder/tls"
cp "$source/nginx.conf" "$folder/"
cp "$source"/snippets/*.conf "$folder/snippets/"

edits=
for pair in $defaults; do
    name=${pair%%=*}
    eval "value=\${$name:-\${pair#*=}}"
    escaped=$(printf %s "$value" | sed 's/[\\&|]/\\&/g')
    edits="$edits
s|\${$name}|$escaped|g"
done
sed "$edits" "$source/conf.d/berth.conf.template" >"$folder/conf.d/berth.conf"
