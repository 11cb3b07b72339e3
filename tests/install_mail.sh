#!/bin/sh
# Tests of mail accounts need a Postfix and a Dovecot of their own (tests/mailhost.py). Installed from Debian's packages where
# they are absent and we may, with no service started; else the tests say why they are skipped.
PATH="$PATH:/usr/sbin"
command -v postfix >/dev/null 2>&1 && command -v dovecot >/dev/null 2>&1 && [ -x /usr/lib/dovecot/imap ] && exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
echo "installing Postfix and Dovecot for the mail tests…"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d  # Debian asks it before it starts a service: 101 is "no"
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 0' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
fi
# "Local only": should somebody start it, it listens to nobody but this machine
(
    echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections
    apt-get update -qq && apt-get install -y -qq --no-install-recommends postfix dovecot-core dovecot-imapd
) >/dev/null 2>&1 </dev/null || echo "Postfix and Dovecot could not be installed"
exit 0
