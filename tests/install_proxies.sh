#!/bin/sh
# tests/test_behind_proxies.py runs nginx and Caddy in front of Potok. Installed from Debian's packages where they are absent and we may,
# with no service started; else the tests say why they are skipped.
PATH="$PATH:/usr/sbin"
missing=""
command -v nginx >/dev/null 2>&1 || missing="nginx-light"
command -v caddy >/dev/null 2>&1 || missing="$missing caddy"
[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086
sh "$(dirname "$0")/install_packages.sh" "the proxies of the tests" $missing
exit 0
