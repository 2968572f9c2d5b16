/* helper/admin/expire.c - remove the data of containers that nobody has used for too long. */
#include "helper/admin/expire.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/admin.h"
#include "helper/admin/containers.h"
#include "helper/registry/record.h"

#define DAY           UINT64_C(86400)
#define WEEK          (7 * DAY)
#define FUTURE        DAY        /* clocks of one machine differ by less */
#define JUMP_KNOWN    DAY        /* within one start of the machine */
#define JUMP_GUESSED  (60 * DAY) /* over several */
#define MARK_FILE     "expiring" /* beside the record 'stored' */
#define CLOCK_FILE    "clock"    /* in state_dir */
#define BOOT_ID       "/proc/sys/kernel/random/boot_id"
#define LOCK_PATIENCE 5000 /* ms */

uint64_t expire_grace(uint64_t expire_seconds)
{
	return expire_seconds / 4 < WEEK ? expire_seconds / 4 : WEEK;
}

enum expire_verdict expire_judge(uint64_t now, uint64_t last_used_at, uint64_t expire_seconds,
				 const struct expire_mark *mark, uint64_t *when)
{
	uint64_t grace = expire_grace(expire_seconds);
	/* One that was made before the data were used again, or by a clock that was wrong. */
	bool is_marked =
	    mark->marked_at != 0 && mark->last_used_at == last_used_at && mark->marked_at <= now;

	*when = 0;
	if (last_used_at == 0)
		return EXPIRE_KEEP;
	if (last_used_at > now)
		return last_used_at - now > FUTURE ? EXPIRE_MEND : EXPIRE_KEEP;
	if (now - last_used_at < expire_seconds)
		return EXPIRE_KEEP;
	*when = (is_marked ? mark->marked_at : now) + grace;
	if (!is_marked)
		return EXPIRE_MARK;
	return now < *when ? EXPIRE_WAIT : EXPIRE_REMOVE;
}

bool clock_has_jumped(const struct clock_reading *before, const struct clock_reading *now,
		      uint64_t *by)
{
	uint64_t passed = now->real > before->real ? now->real - before->real : 0;
	uint64_t awake = now->boot > before->boot ? now->boot - before->boot : 0;

	if (before->real == 0)
		return false;
	if (strcmp(before->boot_id, now->boot_id) == 0) {
		*by = passed > awake ? passed - awake : 0;
		return *by > JUMP_KNOWN;
	}
	*by = passed;
	return passed > JUMP_GUESSED;
}

/* ---- the clock ------------------------------------------------------------------------------ */

static bool read_clock(struct clock_reading *reading, struct failure *why)
{
	_cleanup_free_ char *id = file_read_at(AT_FDCWD, BOOT_ID, 64, NULL, why);
	struct timespec boot;

	if (!id)
		return false;
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	*reading =
	    (struct clock_reading){.real = (uint64_t)time(NULL), .boot = (uint64_t)boot.tv_sec};
	(void)snprintf(reading->boot_id, sizeof(reading->boot_id), "%.36s", id);
	return true;
}

/* Of the run before; all zero when there was none, or its record is damaged. */
static bool load_clock(int state, struct clock_reading *reading, struct failure *why)
{
	struct record record;
	bool found;

	memset(reading, 0, sizeof(*reading));
	if (!record_load(state, CLOCK_FILE, &record, &found, why))
		return false;
	if (!found)
		return true;
	reading->real = record_get_number(&record, "real", UINT64_MAX);
	reading->boot = record_get_number(&record, "boot", UINT64_MAX);
	record_get(&record, "boot_id", reading->boot_id, sizeof(reading->boot_id));
	if (record.failed)
		memset(reading, 0, sizeof(*reading));
	return true;
}

static bool save_clock(int state, const struct clock_reading *reading, struct failure *why)
{
	struct record record = {0};

	record_put_number(&record, "real", reading->real);
	record_put_number(&record, "boot", reading->boot);
	record_put(&record, "boot_id", reading->boot_id);
	return file_replace_at(state, CLOCK_FILE, record.text, record.length, 0600, false, why);
}

/* May data expire by the clock as it is? It is remembered for the next run when it may. */
static bool check_clock(const struct context *context, bool dry_run, bool trust_clock,
			uint64_t *now, struct failure *why)
{
	struct clock_reading before, reading;
	uint64_t by;

	if (!read_clock(&reading, why) || !load_clock(context->registry.state, &before, why))
		return false;
	*now = reading.real;
	if (!trust_clock && clock_has_jumped(&before, &reading, &by))
		return fail(why, FAILURE_DATA, 0,
			    "the clock is %" PRIu64
			    " days ahead of where it should be since gc ran "
			    "last: no data expires; set it, or say with --trust-clock that it is "
			    "right",
			    by / DAY);
	return dry_run || save_clock(context->registry.state, &reading, why);
}

/* ---- one container -------------------------------------------------------------------------- */

static void load_mark(int dir, struct expire_mark *mark)
{
	struct record record;
	struct failure ignored;
	bool found;

	*mark = (struct expire_mark){0};
	if (!record_load(dir, MARK_FILE, &record, &found, &ignored) || !found)
		return;
	mark->last_used_at = record_get_number(&record, "last_used_at", UINT64_MAX);
	mark->marked_at = record_get_number(&record, "marked_at", UINT64_MAX);
	if (record.failed)
		*mark = (struct expire_mark){0};
}

static bool save_mark(int dir, uint64_t last_used_at, uint64_t now, struct failure *why)
{
	struct record record = {0};

	record_put_number(&record, "last_used_at", last_used_at);
	record_put_number(&record, "marked_at", now);
	return file_replace_at(dir, MARK_FILE, record.text, record.length, 0600, false, why);
}

static bool note_use(const struct context *context, const char *name, uint64_t now,
		     struct failure *why)
{
	_cleanup_close_ int file = registry_open_used(&context->registry, name, why);

	return file >= 0 &&
	       (used_write(file, now) || fail(why, FAILURE_SYSTEM, errno, "cannot note its use"));
}

static void tell_event(const char *name, const struct stored_record *stored, uint64_t unused)
{
	struct event event = EVENT_INIT;
	struct failure ignored;
	char reason[96], text[48];
	int file = events_open(&ignored);

	policy_duration_format(unused, text);
	(void)snprintf(reason, sizeof(reason), "unused for %s", text);
	event.event = "expired";
	event.user = stored->user;
	event.container = name;
	event.policy = stored->policy;
	event.reason = reason;
	event_write(file, &event);
	cleanup_close(&file);
}

static bool carry_out(const struct context *context, const struct stored_record *stored,
		      const struct expire_news *news, uint64_t now, int dir, struct failure *why)
{
	switch (news->verdict) {
	case EXPIRE_MEND:
		return note_use(context, news->name, now, why);
	case EXPIRE_MARK:
		return save_mark(dir, stored->last_used_at, now, why);
	case EXPIRE_REMOVE:
		if (!container_remove_data(context, news->name, &stored->last_used_at, why))
			return false;
		tell_event(news->name, stored, news->unused_seconds);
		return true;
	case EXPIRE_KEEP:
	case EXPIRE_WAIT:
		break;
	}
	return true;
}

/* The policy of its last start as it is today; who has none or an unlimited one keeps all. */
static uint64_t expire_seconds_of(const struct context *context, const struct stored_record *stored)
{
	const struct policy *policy = policy_by_name(context->config, stored->policy);

	if (!policy || policy->action != POLICY_CONTAIN)
		return TIME_NEVER;
	return policy->time.expire_seconds;
}

struct round {
	const struct context *context;
	bool dry_run;
	uint64_t now;
	void (*tell)(void *data, const struct expire_news *news);
	void *data;
};

static bool look_at(const struct round *round, const char *name, struct failure *why)
{
	const struct registry *registry = &round->context->registry;
	struct expire_news news = {.name = name};
	struct stored_record stored;
	struct running_record running;
	struct expire_mark mark;
	_cleanup_close_ int init = -1, dir = -1;
	uint64_t expire;

	if (!registry_stored(registry, name, &stored, why) ||
	    !registry_running(registry, name, &running, &init, why))
		return false;
	if (stored.version == 0)
		return true;
	if (init >= 0)
		return round->dry_run || note_use(round->context, name, round->now, why);
	expire = expire_seconds_of(round->context, &stored);
	if (expire == TIME_UNSET || expire == TIME_NEVER)
		return true;
	dir = registry_state_dir(registry, name, false, why);
	if (dir < 0)
		return false;
	load_mark(dir, &mark);
	news.verdict = expire_judge(round->now, stored.last_used_at, expire, &mark, &news.when);
	news.unused_seconds =
	    round->now > stored.last_used_at ? round->now - stored.last_used_at : 0;
	if (!round->dry_run && !carry_out(round->context, &stored, &news, round->now, dir, why))
		return why->kind == FAILURE_BUSY; /* used again, just now */
	if (news.verdict != EXPIRE_KEEP && news.verdict != EXPIRE_MEND)
		round->tell(round->data, &news);
	return true;
}

int expire_all(const struct context *context, bool dry_run, bool trust_clock,
	       void (*tell)(void *data, const struct expire_news *news), void *data)
{
	struct round round = {.context = context, .dry_run = dry_run, .tell = tell, .data = data};
	int status = STATUS_OK;
	struct failure why;
	char **names;
	size_t count;

	if (context->policy_trouble.kind != FAILURE_NONE)
		return complain("no data expires while the policy files are broken");
	if (!check_clock(context, dry_run, trust_clock, &round.now, &why))
		return complain("%s", why.text);
	if (!registry_names(&context->registry, &names, &count, &why))
		return complain("%s", why.text);
	for (size_t i = 0; i < count; i++) {
		if (!look_at(&round, names[i], &why))
			status = complain("%s: %s", names[i], why.text);
		free(names[i]);
	}
	free(names);
	return status;
}
