/* helper/admin/expire.h - may the data of a container that nobody uses be removed? */
#ifndef CARREL_HELPER_ADMIN_EXPIRE_H
#define CARREL_HELPER_ADMIN_EXPIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/admin/context.h"

/*
 * Two steps, so that neither a wrong clock nor a hasty policy takes data away: a run that finds
 * data unused for longer than the policy's `expire` marks it; it is removed by a run that comes
 * expire_grace() later or more and finds the mark, and no use since.
 */
struct expire_mark {
	uint64_t last_used_at, marked_at; /* seconds since the epoch; marked_at 0: no mark */
};

enum expire_verdict {
	EXPIRE_KEEP,   /* it is used, or nothing is known */
	EXPIRE_MEND,   /* it was last used in the future: count from now on */
	EXPIRE_MARK,   /* unused for too long, for the first time */
	EXPIRE_WAIT,   /* marked, but not long enough ago */
	EXPIRE_REMOVE, /* marked long enough ago */
};

/* Pure. *when: when it would be removed at the earliest, unless it is kept. */
enum expire_verdict expire_judge(uint64_t now, uint64_t last_used_at, uint64_t expire_seconds,
				 const struct expire_mark *mark, uint64_t *when);

/* A quarter of `expire`, at most a week. */
uint64_t expire_grace(uint64_t expire_seconds);

/* The clocks at one run of gc. */
struct clock_reading {
	uint64_t real, boot; /* seconds: since the epoch, since the machine started */
	char boot_id[37];    /* which start that was */
};

/*
 * Pure: has the clock been set ahead between two runs by more than anybody corrects it by? Within
 * one start of the machine that is known to the second, and a day is too much; over several it is
 * guessed, and more than 60 days between two runs are taken for a jump. *by gets the seconds.
 */
bool clock_has_jumped(const struct clock_reading *before, const struct clock_reading *now,
		      uint64_t *by);

/* What gc did or would do about the data of a container. */
struct expire_news {
	const char *name;
	enum expire_verdict verdict; /* MARK, WAIT or REMOVE */
	uint64_t unused_seconds, when;
};

/*
 * Go through all stored containers. Whatever runs is noted as used now. Nothing expires while the
 * policy files are broken, whose policy is gone, or after the clock has jumped; `trust_clock` says
 * that the clock is right. `tell` is called for each container that is, or with dry_run would be,
 * marked or removed. STATUS_OK, or STATUS_FAILED after a complaint.
 */
int expire_all(const struct context *context, bool dry_run, bool trust_clock,
	       void (*tell)(void *data, const struct expire_news *news), void *data);

#endif
