#!/bin/sh
# Installs Debian packages for tests, where we may, and starts no service. sh tests/install_packages.sh WHAT PACKAGE...
what=$1
shift
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
echo "installing $what: $*…"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d  # Debian asks it before it starts a service: 101 is "no"
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 0' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
fi
(apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@") >/dev/null 2>&1 </dev/null ||
    echo "Not everything could be installed: tests that need it are skipped"
exit 0
