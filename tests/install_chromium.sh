#!/bin/sh
# Browser tests need a Chromium. Installed from Debian's packages where it is absent and we may; else the tests say why
# they are skipped.
command -v chromium-headless-shell >/dev/null 2>&1 && exit 0
command -v chromium >/dev/null 2>&1 && exit 0
command -v chromium-browser >/dev/null 2>&1 && exit 0
command -v google-chrome >/dev/null 2>&1 && exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
echo "installing Chromium for the browser tests…"
add() { apt-get install -y -qq --no-install-recommends "$1" fonts-noto-core; }
(apt-get update -qq && { add chromium-headless-shell || add chromium; }) >/dev/null 2>&1 || echo "Chromium could not be installed"
exit 0
