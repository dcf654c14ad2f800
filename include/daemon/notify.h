/*
 * notify.h - tells a service manager how the daemon is: sd_notify(3)'s
 * protocol, one datagram a message to the socket that $NOTIFY_SOCKET names.
 *
 * Does not know what the messages mean, nor whether anybody took them: without
 * the variable, or with a socket that cannot be reached, nothing happens.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* It listens, or has loaded its configuration again. */
void notify_ready(void);

/* It loads its configuration again; notify_ready() follows in any case. */
void notify_reloading(void);

void notify_stopping(void);

/* One line for people, which the manager shows; longer than 200 bytes it is cut. */
void notify_status(const char *text);

#endif
