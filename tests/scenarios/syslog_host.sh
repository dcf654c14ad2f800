#!/bin/sh
# syslog_host.sh TOP: a host's syslog daemon, with Debian's rules, whose files go to TOP/logs and whose /dev/log only this
# process and those that enter its mount namespace see. cron finds TOP/cron.d alone, and a /run of its own.
# Ends with 77 where that cannot be done: no right to mount, and a /dev/log that belongs to somebody else.
top=$1
if [ "$2" != inside ]; then
    if unshare --mount --propagation private true 2>/dev/null; then
        exec unshare --mount --propagation private sh "$0" "$top" inside
    fi
    # A container without the right to mount: it is a throw-away machine, so what is missing there is put there.
    [ "$(id -u)" = 0 ] && [ ! -e /dev/log ] || exit 77
    [ ! -e /run/crond.pid ] || ! kill -0 "$(cat /run/crond.pid)" 2>/dev/null || exit 77
    ln -s "$top/log.sock" /dev/log
    rm -f /run/crond.reboot
    mkdir -p /run/sshd
    cp "$top"/cron.d/* /etc/cron.d/
    jobs=$(ls "$top/cron.d")
    trap 'kill $pid; for job in $jobs; do rm -f "/etc/cron.d/$job"; done; rm -f /dev/log; exit' TERM
    /usr/sbin/rsyslogd -n -f "$top/rsyslog.conf" -i "$top/rsyslog.pid" & pid=$!
    wait $pid
    exit 1
fi
set -e
mkdir "$top/dev"
mount -t tmpfs tmpfs "$top/dev"
for node in null zero full random urandom tty ptmx; do
    [ ! -e /dev/$node ] || { touch "$top/dev/$node"; mount --bind /dev/$node "$top/dev/$node"; }
done
mkdir "$top/dev/pts" "$top/dev/shm"
[ ! -d /dev/pts ] || mount --rbind /dev/pts "$top/dev/pts"
ln -s /proc/self/fd "$top/dev/fd"
ln -s "$top/log.sock" "$top/dev/log"
mount --rbind "$top/dev" /dev
mount -t tmpfs tmpfs /run
mkdir /run/sshd
mount --bind "$top/cron.d" /etc/cron.d
mount -t tmpfs tmpfs /var/spool/cron
mkdir /var/spool/cron/crontabs
: > "$top/crontab"
[ ! -e /etc/crontab ] || mount --bind "$top/crontab" /etc/crontab
exec /usr/sbin/rsyslogd -n -f "$top/rsyslog.conf" -i "$top/rsyslog.pid"
