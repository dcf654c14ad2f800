#!/bin/sh
# Make Alertmanager's configuration out of alertmanager.yml and the environment, then become Alertmanager.
#
#   start.sh [--check] [alertmanager's flags...]
#
# A way of notification joins when its variables are set:
#
#   mail       MAIL_TO SMTP_HOST (host:port) [MAIL_FROM SMTP_USER SMTP_PASSWORD SMTP_CA_FILE] [MAIL_TO_STUDY]
#   slack      SLACK_WEBHOOK_URL [SLACK_CHANNEL]
#   pagerduty  PAGERDUTY_ROUTING_KEY [PAGERDUTY_URL]
#   webhook    WEBHOOK_URL [WEBHOOK_TOKEN]
#
# and for all: GRAFANA_URL, where links to dashboards go (http://127.0.0.1:3000); QUIET_FROM, QUIET_TO, QUIET_ZONE, the hours
# in which tickets wait (22:00, 07:00, UTC; QUIET_FROM= for none).
#
# Each of SMTP_PASSWORD, SLACK_WEBHOOK_URL, PAGERDUTY_ROUTING_KEY, WEBHOOK_URL and WEBHOOK_TOKEN may instead be given as the name of a
# file that holds it, in SMTP_PASSWORD_FILE and so on. And ENV_FILE may name a file of NAME=value lines (a mounted .env) for all
# that the environment does not set: then no secret is in the environment at all.
#
# Secrets are copied into files of the run directory, readable by this user alone and without a final newline (Alertmanager
# would send it as part of a password), leave the environment before Alertmanager starts, and are never printed.
#
# RUN_DIR     where all of this is written: a tmpfs (/run/alertmanager)
# SOURCE_DIR  where alertmanager.yml and templates/ are (/etc/alertmanager)
# With --check nothing is started: amtool checks what was made.

set -u
umask 077

run=${RUN_DIR:-/run/alertmanager}
source=${SOURCE_DIR:-/etc/alertmanager}
secrets='SMTP_PASSWORD SLACK_WEBHOOK_URL PAGERDUTY_ROUTING_KEY WEBHOOK_URL WEBHOOK_TOKEN'
settings='MAIL_TO MAIL_TO_STUDY MAIL_FROM SMTP_HOST SMTP_USER SMTP_CA_FILE SLACK_CHANNEL PAGERDUTY_URL'
settings="$settings GRAFANA_URL QUIET_FROM QUIET_TO QUIET_ZONE"
secret_files='SMTP_PASSWORD_FILE SLACK_WEBHOOK_URL_FILE PAGERDUTY_ROUTING_KEY_FILE WEBHOOK_URL_FILE WEBHOOK_TOKEN_FILE'
mistakes=0
newline='
'

mistake() {
    echo "start.sh: $1" >&2
    mistakes=$((mistakes + 1))
}

# The value of the variable that $1 names; the names are those listed above.
value() { eval "printf %s \"\${$1:-}\""; }
is_set() { [ -n "$(value "$1")" ]; }

# 'text' for YAML, whatever is in it.
quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }

# What the environment does not have, from ENV_FILE. Quotes around a value are taken off, as docker-compose does.
read_env_file() {
    [ -r "$1" ] || { mistake "ENV_FILE: $1 cannot be read"; return; }
    while IFS= read -r line || [ -n "$line" ]; do
        name=${line%%=*}
        case " $secrets $settings $secret_files " in *" $name "*) ;; *) continue ;; esac
        case $line in *=*) ;; *) continue ;; esac
        eval "[ -z \"\${$name+set}\" ]" || continue
        text=${line#*=}
        text=${text%"$(printf '\r')"}
        case $text in
            \"*\") text=${text#\"} text=${text%\"} ;;
            \'*\') text=${text#\'} text=${text%\'} ;;
        esac
        eval "$name=\$text"
    done <"$1"
}

# Each secret into a file of its own, out of the environment.
keep_secrets() {
    for name in $secrets; do
        file=$(value "${name}_FILE")
        if [ -n "$file" ] && [ ! -r "$file" ]; then
            mistake "${name}_FILE: $file cannot be read"
        elif [ -n "$file" ]; then
            eval "$name=\$(cat \"\$file\")"
        fi
        is_set "$name" && value "$name" >"$run/$name"
    done
}

needs() {
    is_set "$2" || mistake "$1 is set, but $2 is not: both are needed"
}

check_settings() {
    for name in $settings $secrets; do
        case $(value "$name") in *"$newline"*) mistake "$name has more than one line" ;; esac
    done
    is_set MAIL_TO_IN_COMPOSE && ! is_set MAIL_TO && mistake 'MAIL_TO is known to docker-compose, not here: .env needs ENV_FILE=.env'
    is_set MAIL_TO && needs MAIL_TO SMTP_HOST
    is_set MAIL_TO_STUDY && needs MAIL_TO_STUDY SMTP_HOST
    is_set SMTP_HOST && ! is_set MAIL_TO_STUDY && needs SMTP_HOST MAIL_TO
    is_set SMTP_USER && needs SMTP_USER SMTP_PASSWORD
    is_set SMTP_PASSWORD && needs SMTP_PASSWORD SMTP_USER
    is_set SLACK_CHANNEL && needs SLACK_CHANNEL SLACK_WEBHOOK_URL
    is_set WEBHOOK_TOKEN && needs WEBHOOK_TOKEN WEBHOOK_URL
    case $(value SMTP_HOST) in '' | *:*) ;; *) mistake "SMTP_HOST is ${SMTP_HOST}: write host:port, such as ${SMTP_HOST}:587" ;; esac
    case $(value GRAFANA_URL) in *'{{'*) mistake 'GRAFANA_URL has {{ in it' ;; esac
    for name in QUIET_FROM QUIET_TO; do
        case $(value "$name") in '' | [01][0-9]:[0-5][0-9] | 2[0-3]:[0-5][0-9]) ;; *) mistake "$name: write HH:MM, such as 22:00" ;; esac
    done
}

mail() {
    [ -n "$1" ] && is_set SMTP_HOST || return
    cat <<YAML
    email_configs:
      - to: $(quoted "$1")
        from: $(quoted "${MAIL_FROM:-logtally@localhost}")
        smarthost: $(quoted "$SMTP_HOST")
        require_tls: true
        send_resolved: true
        headers: {Subject: '{{ template "logtally.subject" . }}'}
        html: '{{ template "logtally.mail.html" . }}'
        text: '{{ template "logtally.mail.text" . }}'
YAML
    is_set SMTP_USER && cat <<YAML
        auth_username: $(quoted "$SMTP_USER")
        auth_password_file: $(quoted "$run/SMTP_PASSWORD")
YAML
    is_set SMTP_CA_FILE && echo "        tls_config: {ca_file: $(quoted "$SMTP_CA_FILE")}"
}

slack() {
    is_set SLACK_WEBHOOK_URL || return
    cat <<YAML
    slack_configs:
      - api_url_file: $(quoted "$run/SLACK_WEBHOOK_URL")
        send_resolved: true
        title: '{{ template "logtally.subject" . }}'
        title_link: '{{ template "logtally.alerts.url" . }}'
        fallback: '{{ template "logtally.subject" . }}'
        text: '{{ template "logtally.slack.text" . }}'
        color: '{{ template "logtally.color" . }}'
        actions:
          - {type: button, text: Runbook, url: '{{ template "logtally.runbook.url" . }}'}
          - {type: button, text: Dashboard, url: '{{ template "logtally.dashboard.url" . }}'}
          - {type: button, text: Query, url: '{{ template "logtally.query.url" . }}'}
          - {type: button, text: Silence, url: '{{ template "logtally.silence.url" . }}'}
YAML
    is_set SLACK_CHANNEL && echo "        channel: $(quoted "$SLACK_CHANNEL")"
}

pagerduty() {
    is_set PAGERDUTY_ROUTING_KEY || return
    cat <<YAML
    pagerduty_configs:
      - routing_key_file: $(quoted "$run/PAGERDUTY_ROUTING_KEY")
        url: $(quoted "${PAGERDUTY_URL:-https://events.pagerduty.com/v2/enqueue}")
        send_resolved: true
        description: '{{ template "logtally.subject" . }}'
        severity: '{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}'
        component: '{{ .CommonLabels.service }}'
        group: '{{ .CommonLabels.host }}'
        client: Alertmanager
        client_url: '{{ template "logtally.alerts.url" . }}'
        links:
          - {text: Runbook, href: '{{ template "logtally.runbook.url" . }}'}
          - {text: Dashboard, href: '{{ template "logtally.dashboard.url" . }}'}
          - {text: Query, href: '{{ template "logtally.query.url" . }}'}
          - {text: Silence, href: '{{ template "logtally.silence.url" . }}'}
        details: {alerts: '{{ template "logtally.mail.text" . }}'}
YAML
}

# Alertmanager takes no file for this address: it stands in the made configuration, which this user alone can read.
webhook() {
    is_set WEBHOOK_URL || return
    cat <<YAML
    webhook_configs:
      - url: $(quoted "$WEBHOOK_URL")
        send_resolved: true
        max_alerts: 100
YAML
    is_set WEBHOOK_TOKEN &&
        echo "        http_config: {authorization: {credentials_file: $(quoted "$run/WEBHOOK_TOKEN")}}"
}

# Hours over midnight are two ranges of a day.
quiet() {
    from=${QUIET_FROM-22:00} to=${QUIET_TO:-07:00}
    [ -n "$from" ] && [ "$from" != "$to" ] || return
    if expr "$from" \< "$to" >/dev/null; then
        ranges="{start_time: '$from', end_time: '$to'}"
    else
        ranges="{start_time: '$from', end_time: '24:00'}"
        [ "$to" = 00:00 ] || ranges="$ranges, {start_time: '00:00', end_time: '$to'}"
    fi
    echo "      - {times: [$ranges], location: $(quoted "${QUIET_ZONE:-UTC}")}"
}

links() {
    grafana=${GRAFANA_URL:-http://127.0.0.1:3000}
    printf '{{ define "logtally.grafana" }}%s{{ end }}\n' "${grafana%/}" >"$run/links.tmpl"
    echo "  - $(quoted "$run/links.tmpl")"
}

make_configuration() {
    while IFS= read -r line; do
        case $line in
            *'/etc/alertmanager/templates/'*) echo "  - $(quoted "$source/templates/*.tmpl")" ;;
            *'# joins here: '*)
                for way in ${line#*# joins here: }; do
                    case $way in
                        mail) mail "$(value MAIL_TO)" ;;
                        mail-study) mail "${MAIL_TO_STUDY:-$(value MAIL_TO)}" ;;
                        *) "$way" ;;
                    esac
                done
                ;;
            *) printf '%s\n' "$line" ;;
        esac
        : # a way that has not joined is no failure
    done <"$source/alertmanager.yml"
}

say_who_joined() {
    joined=''
    is_set SMTP_HOST && joined="$joined mail"
    is_set SLACK_WEBHOOK_URL && joined="$joined slack"
    is_set PAGERDUTY_ROUTING_KEY && joined="$joined pagerduty"
    is_set WEBHOOK_URL && joined="$joined webhook"
    echo "start.sh: notifications by:${joined:- none; alerts are seen on the page alone}" >&2
}

check=''
[ "${1:-}" = --check ] && check=yes && shift
mkdir -p "$run" || exit 1
for name in $secrets; do rm -f "$run/$name"; done
[ -n "${ENV_FILE:-}" ] && read_env_file "$ENV_FILE"
keep_secrets
check_settings
[ "$mistakes" = 0 ] || exit 1
make_configuration >"$run/alertmanager.yml" || exit 1
say_who_joined
# shellcheck disable=SC2086 # names
unset $secrets
[ -n "$check" ] && exec amtool check-config "$run/alertmanager.yml"
exec "${ALERTMANAGER:-alertmanager}" --config.file "$run/alertmanager.yml" "$@"
