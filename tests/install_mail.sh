#!/bin/sh
# Tests of mail accounts need a Postfix and a Dovecot of their own (tests/mailhost.py), and letters are read by other mail programs
# (tests/mailreaders.py). Installed from Debian's packages where they are absent and we may, with no service started; else the tests
# say why they are skipped.
PATH="$PATH:/usr/sbin"
missing=""
{ command -v postfix && command -v dovecot && [ -x /usr/lib/dovecot/imap ]; } >/dev/null 2>&1 || missing="postfix dovecot-core dovecot-imapd"
command -v mutt >/dev/null 2>&1 || missing="$missing mutt"
command -v reformime >/dev/null 2>&1 || missing="$missing maildrop"
perl -MEmail::MIME -e 1 >/dev/null 2>&1 || missing="$missing libemail-mime-perl"
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
echo "installing what the mail tests need: $missing…"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d  # Debian asks it before it starts a service: 101 is "no"
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 0' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
fi
# "Local only": should somebody start it, it listens to nobody but this machine. $missing is split into its words.
(
    echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections
    # shellcheck disable=SC2086
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing
) >/dev/null 2>&1 </dev/null || echo "Not everything could be installed: tests that need it are skipped"
exit 0
