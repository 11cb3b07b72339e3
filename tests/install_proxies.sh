#!/bin/sh
# tests/test_behind_proxies.py runs nginx and Caddy in front of Potok. Installed from Debian's packages where they are absent and we may,
# with no service started; else the tests say why they are skipped.
PATH="$PATH:/usr/sbin"
missing=""
command -v nginx >/dev/null 2>&1 || missing="nginx-light"
command -v caddy >/dev/null 2>&1 || missing="$missing caddy"
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
echo "installing the proxies of the tests: $missing…"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d  # Debian asks it before it starts a service: 101 is "no"
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 0' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
fi
# shellcheck disable=SC2086
(apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing) >/dev/null 2>&1 </dev/null ||
    echo "Not everything could be installed: tests that need it are skipped"
exit 0
