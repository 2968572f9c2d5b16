/* helper/init/times.c - what is due by the clocks: warnings, ends of sessions, the idle container.
 */
#include "helper/init/times.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/init/terminals.h"
#include "helper/registry/registry.h"

#define NONE UINT64_MAX

/* A login service needs a moment to make the terminal on which its user could read a warning. */
#define WARN_NOT_BEFORE_MS 2000

/* How often to look whether a session that is being ended has ended, and to kill again. */
#define ENDING_MS 100
#define KILL_MS   1000

#define FIRST_LOGIN_MS 10000

#define USED_MS 3600000 /* how often a container that runs says so */

/* A login service that passes on what it is told, as sshd does, has to come to it first. */
#define SIGNAL_AFTER_MS 200

/* The counter of processor time is read before it can have run out, but not more often. */
#define BUDGET_LEAST_MS 500
#define BUDGET_MOST_MS  30000

enum reason { BY_SESSION, BY_HOURS, BY_BUDGET, REASONS };

static const struct {
	const char *event, *user;
} reasons[REASONS] = {
    [BY_SESSION] = {"the longest session is over", "the longest time for a session is over"},
    [BY_HOURS] = {"the allowed hours are over", "the allowed hours are over"},
    [BY_BUDGET] = {"the day's processor time is used up",
		   "your processor time for today is used up"},
};

bool times_open(struct room *room)
{
	room->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	room->wall = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	room->budget = (struct room_budget){.counter = -1, .record = -1};
	return room->timer >= 0 && room->wall >= 0;
}

static void sooner(uint64_t *due, uint64_t at)
{
	if (at < *due)
		*due = at;
}

static uint64_t seconds_to_ms(uint64_t seconds)
{
	return seconds > NONE / 2000 ? NONE : seconds * 1000;
}

/* ---- hours ------------------------------------------------------------------------------ */

static void look_at_hours(struct session *session)
{
	const struct hours *hours = &session->rules.hours;
	time_t now = time(NULL);

	if (hours->count)
		session->closes_at = hours_open(hours, now) ? hours_next_change(hours, now) : now;
}

/* Milliseconds until the hours end; NONE when they do not. */
static uint64_t hours_left_ms(const struct session *session)
{
	struct timespec now;

	if (session->closes_at == 0)
		return NONE;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec >= session->closes_at)
		return 0;
	return (uint64_t)(session->closes_at - now.tv_sec) * 1000 - (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the day's processor time ------------------------------------------------------------ */

/* The budget that holds now: the smallest of those who are here, or of the one who left last. */
static uint64_t budget_limit(const struct room *room)
{
	uint64_t least = room->sessions.count ? NONE : room->sessions.last_rules.cpu_day_seconds;

	for (size_t i = 0; i < room->sessions.count; i++)
		if (room->sessions.items[i]->rules.cpu_day_seconds < least)
			least = room->sessions.items[i]->rules.cpu_day_seconds;
	return least > NONE / 1000000 ? NONE : least * 1000000;
}

static uint64_t left_of(const struct room *room, uint64_t limit)
{
	uint64_t used = room->budget.day.used_microseconds;

	return limit == NONE ? NONE : limit > used ? limit - used : 0;
}

uint64_t times_cpu_left(const struct room *room)
{
	return left_of(room, budget_limit(room));
}

static void read_budget(struct room *room)
{
	struct room_budget *budget = &room->budget;
	uint64_t counter = budget_counter(budget->counter, budget->counter_is_v1);

	if (counter == NONE)
		return;
	budget_account(&budget->day, budget_day(time(NULL)), counter);
	/* A full disk or one that failed: what is in memory still counts for who is here. */
	(void)budget_write(budget->record, &budget->day);
}

/* As fast as all processors together could use it up. */
static uint64_t budget_pause_ms(const struct room *room)
{
	uint64_t left = times_cpu_left(room) / 1000;
	long processors = sysconf(_SC_NPROCESSORS_CONF);

	left /= processors > 0 ? (uint64_t)processors : 1;
	if (left < BUDGET_LEAST_MS)
		return BUDGET_LEAST_MS;
	return left > BUDGET_MOST_MS ? BUDGET_MOST_MS : left;
}

static void check_budget(struct room *room, uint64_t now, uint64_t *due)
{
	if (room->budget.counter < 0 || budget_limit(room) == NONE)
		return;
	if (now >= room->budget.next) {
		read_budget(room);
		room->budget.next = now + budget_pause_ms(room);
	}
	sooner(due, room->budget.next);
}

/* ---- one session -------------------------------------------------------------------------- */

static void tell(struct session *session, const char *text)
{
	char line[256];
	int host = session->tty_path[0] ? terminal_number(session->tty_path) : -1;

	(void)snprintf(line, sizeof(line), "\r\ncarrel: %s\r\n", text);
	(void)scope_tell(&session->scope, line, host);
	(void)terminal_write(session->tty, line);
}

static void duration_text(uint64_t seconds, char out[48])
{
	if (seconds >= 7200)
		(void)snprintf(out, 48, "%" PRIu64 " hours", (seconds + 1800) / 3600);
	else if (seconds >= 120)
		(void)snprintf(out, 48, "%" PRIu64 " minutes", (seconds + 30) / 60);
	else
		(void)snprintf(out, 48, "%" PRIu64 " second%s", seconds, seconds == 1 ? "" : "s");
}

static void warn(struct session *session, enum reason reason, uint64_t left_ms)
{
	char text[200], left[48];

	duration_text((left_ms + 999) / 1000, left);
	if (reason == BY_BUDGET)
		(void)snprintf(text, sizeof(text),
			       "%s of your processor time for today are left; then this session "
			       "ends: save your work.",
			       left);
	else
		(void)snprintf(text, sizeof(text),
			       "this session ends in %s, as %s: save your work.", left,
			       reason == BY_HOURS ? "the allowed hours are over then"
						  : "it has lasted the longest time then");
	tell(session, text);
	session->warned |= 1u << reason;
}

static void begin_end(const struct room *room, struct session *session, enum reason reason,
		      uint64_t now)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "%s: this session ends now.", reasons[reason].user);
	tell(session, text);
	session->ending = reasons[reason].event;
	session->signal_at = now + SIGNAL_AFTER_MS;
	session->kill_at = session->signal_at + seconds_to_ms(room->settings.stop_seconds);
}

static void go_on_ending(struct session *session, uint64_t now)
{
	if (now >= session->signal_at) {
		session->signal_at = NONE;
		/* Interactive shells ignore SIGTERM but end on SIGHUP; stopped jobs need to wake
		 * to end. */
		scope_signal(&session->scope, SIGHUP);
		scope_signal(&session->scope, SIGTERM);
		scope_signal(&session->scope, SIGCONT);
	}
	if (now >= session->kill_at) {
		(void)scope_kill(&session->scope);
		/* The v1 freezer does not reach it; it may hang on what is inside. */
		if (session->login_service >= 0)
			leash_pull(&session->leash);
		session->kill_at = now + KILL_MS;
	}
}

/*
 * `left_ms` until the end for this reason, NONE when there is none. Warn or end, and tell when to
 * look again.
 */
static void check_reason(const struct room *room, struct session *session, enum reason reason,
			 uint64_t left_ms, uint64_t now, uint64_t *due)
{
	uint64_t warn_ms = seconds_to_ms(session->rules.warn_seconds);
	uint64_t earliest = session->started + WARN_NOT_BEFORE_MS;

	if (left_ms == NONE || session->ending)
		return;
	if (left_ms == 0) {
		begin_end(room, session, reason, now);
		return;
	}
	if (warn_ms != NONE && !(session->warned & 1u << reason)) {
		uint64_t warn_at = left_ms > warn_ms ? now + left_ms - warn_ms : now;

		if (warn_at < earliest)
			warn_at = earliest;
		if (now >= warn_at)
			warn(session, reason, left_ms);
		else if (reason != BY_BUDGET)
			sooner(due, warn_at);
	}
	/* Processor time does not pass like time: the budget's own timer looks at it. */
	if (reason == BY_SESSION)
		sooner(due, now + left_ms);
}

static uint64_t session_left_ms(const struct session *session, uint64_t now)
{
	uint64_t longest = seconds_to_ms(session->rules.session_seconds);
	uint64_t lasted = now - session->started;

	return longest == NONE ? NONE : longest > lasted ? longest - lasted : 0;
}

static uint64_t cpu_left_ms(const struct room *room, const struct session *session)
{
	uint64_t limit = session->rules.cpu_day_seconds;
	uint64_t left;

	if (limit > NONE / 1000000 || room->budget.counter < 0)
		return NONE;
	left = left_of(room, limit * 1000000);
	return left / 1000 + (left % 1000 != 0);
}

static void check_session(struct room *room, struct session *session, uint64_t now, uint64_t *due)
{
	if (!scope_is_there(&session->scope))
		return;
	if (session->closes_at && hours_left_ms(session) == 0)
		look_at_hours(session);
	check_reason(room, session, BY_SESSION, session_left_ms(session, now), now, due);
	check_reason(room, session, BY_HOURS, hours_left_ms(session), now, due);
	check_reason(room, session, BY_BUDGET, cpu_left_ms(room, session), now, due);
	if (!session->ending)
		return;
	go_on_ending(session, now);
	sooner(due, now + ENDING_MS);
}

/* A session that is being ended is over when none of its processes is left, not before. */
static bool has_ended(const struct session *session)
{
	pid_t one;

	return session->ending && session->login_service < 0 &&
	       scope_members(&session->scope, &one, 1) == 0;
}

/* ---- the container ------------------------------------------------------------------------ */

/* Without sessions: how long it still runs, by the rules of the session that left last. */
static void check_empty(struct room *room, uint64_t now, uint64_t *due)
{
	const struct session_rules *rules = &room->sessions.last_rules;
	uint64_t idle = seconds_to_ms(room->settings.idle_seconds);
	uint64_t end;

	/* Whoever made the container is about to begin the first session. */
	if (room->sessions.next_id == 0 && idle < FIRST_LOGIN_MS)
		idle = FIRST_LOGIN_MS;
	end = idle == NONE ? NONE : room->sessions.idle_since + idle;
	if (rules->hours.count && !hours_open(&rules->hours, time(NULL)))
		room_stop(room, room->settings.stop_seconds, reasons[BY_HOURS].event);
	else if (room->budget.counter >= 0 && times_cpu_left(room) == 0)
		room_stop(room, room->settings.stop_seconds, reasons[BY_BUDGET].event);
	else if (end <= now)
		room_stop(room, room->settings.stop_seconds, "idle");
	else
		sooner(due, end);
}

/* As long as it runs it is used: a session of weeks, or what one left running. */
static void note_use(struct room *room, uint64_t now, uint64_t *due)
{
	if (room->used < 0)
		return;
	if (now >= room->used_next) {
		(void)used_write(room->used, (uint64_t)time(NULL));
		room->used_next = now + USED_MS;
	}
	sooner(due, room->used_next);
}

static void set_timer(int timer, int flags, uint64_t ms, uint64_t *armed)
{
	struct itimerspec spec = {0};

	if (ms == *armed)
		return;
	if (ms != NONE)
		spec.it_value = (struct timespec){.tv_sec = (time_t)(ms / 1000),
						  .tv_nsec = (long)(ms % 1000) * 1000000};
	/* All zero disarms; a moment that has passed goes off at once. */
	if (ms != NONE && ms == 0)
		spec.it_value.tv_nsec = 1;
	if (timerfd_settime(timer, TFD_TIMER_ABSTIME | flags, &spec, NULL) == 0 ||
	    errno == ECANCELED)
		*armed = ms;
}

static bool has_hours(const struct session *session)
{
	return session->rules.hours.count > 0;
}

/* Armed for the next end of hours; it also goes off when somebody sets the clock. */
static void set_wall(struct room *room)
{
	uint64_t next = NONE;
	bool wanted = room->sessions.count == 0 && room->sessions.last_rules.hours.count > 0;

	for (size_t i = 0; i < room->sessions.count; i++) {
		const struct session *session = room->sessions.items[i];

		wanted = wanted || has_hours(session);
		if (session->closes_at && !session->ending)
			sooner(&next, (uint64_t)session->closes_at * 1000);
	}
	if (wanted && room->sessions.count == 0)
		next = (uint64_t)hours_next_change(&room->sessions.last_rules.hours, time(NULL)) *
		       1000;
	set_timer(room->wall, TFD_TIMER_CANCEL_ON_SET, wanted && next ? next : NONE,
		  &room->wall_armed);
}

static void forget_ended(struct room *room)
{
	for (size_t i = room->sessions.count; i-- > 0;)
		if (has_ended(room->sessions.items[i])) {
			room_session_end(room, i);
			room->used_next = 0;
		}
}

void times_check(struct room *room)
{
	uint64_t now = boottime_ms(), due = NONE;

	if (!room->stopping) {
		check_budget(room, now, &due);
		for (size_t i = 0; i < room->sessions.count; i++)
			check_session(room, room->sessions.items[i], now, &due);
	}
	forget_ended(room);
	if (room->stopping)
		return;
	note_use(room, now, &due);
	if (room->sessions.count == 0)
		check_empty(room, now, &due);
	set_timer(room->timer, 0, due, &room->timer_armed);
	set_wall(room);
}

void times_take(struct room *room)
{
	uint64_t times;

	if (read(room->timer, &times, sizeof(times)) == (ssize_t)sizeof(times))
		room->timer_armed = 0;
	if (read(room->wall, &times, sizeof(times)) != (ssize_t)sizeof(times) && errno != ECANCELED)
		return;
	/* Gone off, or the clock was set (timerfd_create(2), ECANCELED). */
	room->wall_armed = 0;
	for (size_t i = 0; i < room->sessions.count; i++)
		look_at_hours(room->sessions.items[i]);
}

void times_begin(struct room *room, struct session *session)
{
	room->used_next = 0;
	look_at_hours(session);
	if (room->budget.record >= 0)
		budget_read(room->budget.record, &room->budget.day);
	room->budget.next = 0;
}

uint64_t times_left(const struct session *session)
{
	uint64_t by_session = session_left_ms(session, boottime_ms());
	uint64_t by_hours = hours_left_ms(session);
	uint64_t least = by_session < by_hours ? by_session : by_hours;

	if (!scope_is_there(&session->scope))
		return NONE;
	return least == NONE ? NONE : least / 1000;
}

void times_end(struct room *room)
{
	read_budget(room);
	if (room->used >= 0)
		(void)used_write(room->used, (uint64_t)time(NULL));
}
