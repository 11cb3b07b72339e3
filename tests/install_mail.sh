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
# "Local only": should somebody start it, it listens to nobody but this machine. $missing is split into its words.
[ "$(id -u)" = 0 ] && command -v debconf-set-selections >/dev/null 2>&1 &&
    echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections >/dev/null 2>&1
# shellcheck disable=SC2086
sh "$(dirname "$0")/install_packages.sh" "what the mail tests need" $missing
exit 0
