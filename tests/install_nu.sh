#!/bin/sh
# tests/test_nu.py checks every page with the Nu HTML Checker: a program in Java that npm carries. Installed into .venv/nu, where
# npm and Java are present or we may install them from Debian's packages; else the test says why it is skipped.
VERSION=26.9.27
SHA256=22f15dd39a33bed929d2a5c0cddf5946849a647eca9272bf4d5d00bc7e7a4d47
cd "$(dirname "$0")/.." || exit 0
jar=.venv/nu/node_modules/vnu-jar/build/dist/vnu.jar
right() { echo "$SHA256  $jar" | sha256sum --check --status 2>/dev/null; }
if ! command -v java >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing Java for the check of HTML…"
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends default-jre-headless) >/dev/null 2>&1 || echo "Java could not be installed"
fi
right && exit 0
if ! command -v npm >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends npm) >/dev/null 2>&1 || echo "npm could not be installed"
fi
command -v npm >/dev/null 2>&1 || exit 0
echo "installing the Nu HTML Checker…"
# its own install script would fetch another Java
npm install --prefix .venv/nu --ignore-scripts --no-save --no-audit --no-fund --loglevel=error "vnu-jar@$VERSION" >/dev/null 2>&1
right && exit 0
rm -f "$jar"
echo "The Nu HTML Checker could not be installed"
exit 0
