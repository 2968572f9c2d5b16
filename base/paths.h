/* base/paths.h - the fixed places of Carrel on the host. LIBEXEC comes from configure. */
#ifndef CARREL_BASE_PATHS_H
#define CARREL_BASE_PATHS_H

#ifndef CARREL_LIBEXECDIR
#define CARREL_LIBEXECDIR "/usr/libexec/carrel"
#endif

#define CARREL_ETC         "/etc/carrel"
#define CARREL_RUN         "/run/carrel"
#define CARREL_EVENTS_DIR  "/var/log/carrel"
#define CARREL_EVENTS_FILE "events.jsonl"
#define CARREL_HELPER      CARREL_LIBEXECDIR "/carrel-helper"
#define CARREL_HELPER_FULL CARREL_LIBEXECDIR "/carrel-helper-full"
#define CARREL_INIT        CARREL_LIBEXECDIR "/carrel-init"
#define CARREL_WATCH       CARREL_LIBEXECDIR "/carrel-watch"

/*
 * Exists, owned by root, inside every container and nowhere else: a PAM stack that runs inside
 * (su in a container whose image has Carrel's line) must not contain again. On the host only
 * root can write /run, so no user can fake it.
 */
#define CARREL_INSIDE_MARK "/run/carrel/inside"

#endif
