#!/bin/sh
# Installs what PURPOSE (run, test or bench) needs and this machine lacks, from Debian's packages; says nothing and does
# nothing when all is there.
set -eu

case ${1:-} in
run) wanted="compiler postgres node" ;;
test) wanted="compiler postgres node nginx browser fonts curl openssl pgrep venv faketime" ;;
bench) wanted="compiler postgres nginx wrk python vipsthumbnail" ;;
*)
    echo "usage: $0 run|test|bench" >&2
    exit 2
    ;;
esac

program() {
    # Debian keeps servers in folders that are not on every user's PATH.
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1
}

is_there() {
    case $1 in
    compiler) program cc ;;
    postgres) program postgres || ls /usr/lib/postgresql/1[5-9]/bin/postgres /usr/lib/postgresql/[2-9][0-9]/bin/postgres 2>/dev/null | grep -q . ;;
    nginx) program nginx ;;
    browser) program chromium || program chromium-browser || program google-chrome ;;
    fonts) ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || { program fc-list && fc-list :lang=zh | grep -q .; } ;;
    curl | openssl | pgrep | wrk | vipsthumbnail | faketime) program "$1" ;;
    # Debian keeps the part of Python that makes virtual environments apart.
    venv) program python3 && python3 -c "import ensurepip, venv" 2>/dev/null ;;
    python) program python3 ;;
    # The page is built with it (web/package.json says which; Debian 12's own is too old).
    node) program npm && program node && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a >= 22 || (a == 20 && b >= 19) ? 0 : 1)' ;;
    esac
}

packages_of() {
    case $1 in
    compiler) echo "gcc libc6-dev" ;;
    postgres) echo postgresql ;;
    nginx) echo nginx ;;
    browser) echo chromium ;;
    fonts) echo fonts-noto-cjk ;;
    pgrep) echo procps ;;
    curl | openssl | wrk | faketime) echo "$1" ;;
    venv) echo "python3 python3-venv" ;;
    python) echo python3 ;;
    vipsthumbnail) echo libvips-tools ;;
    node) echo "nodejs npm" ;;
    esac
}

packages=
for what in $wanted; do
    is_there "$what" || packages="$packages $(packages_of "$what")"
done
[ -n "$packages" ] || exit 0

if ! program apt-get; then
    echo "berth: this machine lacks what these Debian packages hold, please install it:$packages" >&2
    exit 1
fi
root=
if [ "$(id -u)" -ne 0 ]; then
    if ! program sudo; then
        echo "berth: as root, please run: apt-get install$packages" >&2
        exit 1
    fi
    root=sudo
fi
echo "berth: installing$packages (正在安装)"

# Debian starts a server as soon as it is installed. Ours are started by us, on sockets and ports of our own, so for
# this moment the machine's policy says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '$root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
    $root chmod 755 "$policy"
fi

log=$(mktemp)
quietly() {
    $root env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        exit 1
    }
}
quietly apt-get update
# shellcheck disable=SC2086
quietly apt-get install --yes --no-install-recommends $packages
rm -f "$log"
