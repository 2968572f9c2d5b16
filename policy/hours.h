/* policy/hours.h - the hours in which logins are allowed: "Mo-Fr 08:00-20:00, Sa 10:00-14:00". */
#ifndef CARREL_POLICY_HOURS_H
#define CARREL_POLICY_HOURS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/failure.h"

#define HOURS_SPANS_MAX 16

/* Plain data without pointers: it also travels to carrel-init, which watches the clock. */
struct hours {
	uint32_t count; /* 0: always open */
	struct hours_span {
		uint16_t days;       /* bit 0 is Monday; the days on which it begins */
		uint16_t begin, end; /* minutes since midnight; an end not after begin is of the
				      * next day */
	} spans[HOURS_SPANS_MAX];
};

/*
 * Strict: spans apart by commas, each "[DAYS ]HH:MM-HH:MM"; DAYS is "Mo", "Mo-Fr" or "Sa-Mo", every
 * day without them; "24:00" is the end of the day, an end before the begin is of the next day.
 * FAILURE_POLICY with what is wrong and what to write.
 */
bool hours_parse(const char *text, struct hours *hours, struct failure *why);

/* Could hours_parse have made them? For hours that another process sent. */
bool hours_are_sound(const struct hours *hours);

/*
 * Open at `now`, by the local clock on the wall: an hour that a change to summer time leaves out is
 * no hour, one that comes twice is judged alike both times.
 */
bool hours_open(const struct hours *hours, time_t now);

/*
 * The next moment after `now` at which hours_open gives another answer; 0 when there is none. Asks
 * localtime_r(3) only, never mktime(3), which would read /etc/localtime again: carrel-init has the
 * container's files in view.
 */
time_t hours_next_change(const struct hours *hours, time_t now);

/* The shortest time without a break that a span lasts, in seconds; UINT64_MAX without spans. */
uint64_t hours_shortest(const struct hours *hours);

#endif
