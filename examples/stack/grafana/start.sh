#!/bin/sh
# Start Grafana. With a password in PASSWORD_FILE admin logs in with it; without one everybody may look and nobody logs in.
#
# Grafana itself takes a password only when it makes its database: a later one is set here before it starts.

set -u

if [ ! -r "$PASSWORD_FILE" ]; then
    echo "start.sh: the password's file cannot be read: chmod 640, and its group as ENV_GID in .env" >&2
    exit 1
fi
if [ -s "$PASSWORD_FILE" ]; then
    export GF_SECURITY_ADMIN_PASSWORD__FILE="$PASSWORD_FILE"
    if [ -e "$GF_PATHS_DATA/grafana.db" ] &&
        ! grafana cli admin reset-admin-password --password-from-stdin <"$PASSWORD_FILE" >/dev/null; then
        echo "start.sh: admin keeps the password that is in Grafana's database" >&2
    fi
else
    echo "start.sh: no password is set: everybody may look, nobody logs in" >&2
    GF_SECURITY_ADMIN_PASSWORD=$(head -c 32 /dev/urandom | base64 | tr -d '\n')
    export GF_SECURITY_ADMIN_PASSWORD
    export GF_AUTH_ANONYMOUS_ENABLED=true GF_AUTH_DISABLE_LOGIN_FORM=true GF_AUTH_BASIC_ENABLED=false
fi
exec /run.sh "$@"
