/* helper/watch/record.h - a login as utmp(5) has it. Pure. */
#ifndef CARREL_HELPER_WATCH_RECORD_H
#define CARREL_HELPER_WATCH_RECORD_H

#include <stdint.h>
#include <sys/types.h>
#include <utmpx.h>

/*
 * What is known of a login when its session opens. A login service that has a terminal of the host
 * names it ("tty1"); sshd gets one later, inside, of which the host knows nothing: "" then.
 */
struct login_facts {
	const char *user, *host, *line;
	const char *tty; /* as the service names it to PAM, for audit: "ssh", "/dev/tty1", "" */
	pid_t pid;       /* of the login service */
	pid_t session;   /* its session id, getsid(2) */
};

/*
 * The record of its begin, at `seconds` since the epoch. `id` is the ut_id that a getty left for
 * this process (4 bytes, not terminated), or NULL. Without a terminal the line is "carrel:PID" and
 * the id one that no terminal and no other process has, since last(1) and utmp tell logins apart by
 * them. Bytes that could do something to a terminal are replaced.
 */
void record_login(const struct login_facts *facts, const char *id, int64_t seconds,
		  struct utmpx *record);

/* Turn it into the record of its end (utmp(5), DEAD_PROCESS). */
void record_logout(int64_t seconds, struct utmpx *record);

#endif
