/* version.h - what this program calls itself. */
#ifndef DAEMON_VERSION_H
#define DAEMON_VERSION_H

#define LOGTALLY_VERSION "0.1.0"

#endif
