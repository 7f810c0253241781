#!/bin/sh
# Writes .env from .env.example, a fresh secret in place of each change-me. Never touches one that is there.
set -eu
cd "$(dirname "$0")/.."

if [ -e .env ]; then
    echo ".env is there already; nothing was changed (.env 已存在，未改动)"
    exit 0
fi

# Readable for its owner alone from the first byte on, and in place only when it is whole.
umask 077
new=$(mktemp .env.XXXXXX)
trap 'rm -f "$new"' EXIT
while IFS= read -r line; do
    case $line in
    BERTH_ADMIN_PASSWORD=change-me) bytes=12 ;;
    [A-Z]*=change-me) bytes=32 ;;
    *) bytes=0 ;;
    esac
    if [ "$bytes" -gt 0 ]; then
        line=${line%%=*}=$(od -An -N"$bytes" -tx1 /dev/urandom | tr -d ' \n')
    fi
    printf '%s\n' "$line"
done <.env.example >"$new"
mv -n "$new" .env

echo "Wrote .env with fresh secrets (已写入 .env 并生成密钥)"
echo "First account 首个账号: $(sed -n 's/^BERTH_ADMIN_USERNAME=//p' .env)"
echo "Its password 密码:      in .env, BERTH_ADMIN_PASSWORD (见 .env)"
echo "Next 下一步:            docker compose up -d"
