/* policy/hours.c - read allowed hours, and find where in them a moment is. Pure. */
#include "policy/hours.h"

#include <string.h>

#define DAY_MINUTES  1440
#define WEEK_MINUTES (7 * DAY_MINUTES)

/* More than any zone's clock jumps by: so close to a change every minute is looked at. */
#define JUMP_MINUTES 180

static const char *const day_names[] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

static bool refuse(const char *text, const char *trouble, struct failure *why)
{
	return fail(why, FAILURE_POLICY, 0,
		    "\"%.80s\" %s; write days and times, as in \"Mo-Fr 08:00-20:00\", and more of "
		    "them after a comma",
		    text, trouble);
}

static bool take_day(const char **at, unsigned *day)
{
	for (*day = 0; *day < ARRAY_LENGTH(day_names); (*day)++)
		if (strncmp(*at, day_names[*day], 2) == 0) {
			*at += 2;
			return true;
		}
	return false;
}

/* "Mo", "Mo-Fr", "Sa-Mo" and a space; nothing when a digit comes at once. */
static bool take_days(const char **at, uint16_t *days)
{
	unsigned first, last;

	*days = (1u << ARRAY_LENGTH(day_names)) - 1;
	if (**at >= '0' && **at <= '9')
		return true;
	if (!take_day(at, &first))
		return false;
	last = first;
	if (**at == '-') {
		(*at)++;
		if (!take_day(at, &last))
			return false;
	}
	*days = (uint16_t)(1u << first);
	while (first != last) {
		first = (first + 1) % ARRAY_LENGTH(day_names);
		*days = (uint16_t)(*days | 1u << first);
	}
	if (**at != ' ')
		return false;
	*at += strspn(*at, " ");
	return true;
}

static bool is_digit(char letter)
{
	return letter >= '0' && letter <= '9';
}

/* "HH:MM" up to "24:00". */
static bool take_time(const char **at, uint16_t *minutes)
{
	const char *text = *at;
	int hour, minute;

	if (!is_digit(text[0]) || !is_digit(text[1]) || text[2] != ':' || !is_digit(text[3]) ||
	    !is_digit(text[4]))
		return false;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	if (minute > 59 || hour * 60 + minute > DAY_MINUTES)
		return false;
	*minutes = (uint16_t)(hour * 60 + minute);
	*at = text + 5;
	return true;
}

static unsigned length_of(const struct hours_span *span)
{
	return span->end > span->begin ? span->end - span->begin
				       : span->end + DAY_MINUTES - span->begin;
}

static const char *take_span(const char **at, struct hours_span *span)
{
	*at += strspn(*at, " ");
	if (!take_days(at, &span->days))
		return "names its days in a way that is not known (Mo Tu We Th Fr Sa Su)";
	if (!take_time(at, &span->begin) || span->begin == DAY_MINUTES)
		return "has no time from 00:00 to 23:59 where a span begins";
	if (**at != '-')
		return "has no \"-\" between two times";
	(*at)++;
	if (!take_time(at, &span->end))
		return "has no time from 00:00 to 24:00 where a span ends";
	if (span->begin == span->end)
		return "has a span that ends when it begins (all day is 00:00-24:00)";
	*at += strspn(*at, " ");
	return **at == '\0' || **at == ',' ? NULL : "goes on behind a time";
}

bool hours_parse(const char *text, struct hours *hours, struct failure *why)
{
	const char *at = text;

	memset(hours, 0, sizeof(*hours));
	do {
		const char *trouble;

		if (hours->count == HOURS_SPANS_MAX)
			return refuse(text, "has more than 16 spans", why);
		trouble = take_span(&at, &hours->spans[hours->count]);
		if (trouble)
			return refuse(text, trouble, why);
		hours->count++;
	} while (*at++ == ',');
	return true;
}

bool hours_are_sound(const struct hours *hours)
{
	if (hours->count > HOURS_SPANS_MAX)
		return false;
	for (size_t i = 0; i < hours->count; i++) {
		const struct hours_span *span = &hours->spans[i];

		if (span->days == 0 || span->days >= 1u << ARRAY_LENGTH(day_names) ||
		    span->begin >= DAY_MINUTES || span->end > DAY_MINUTES ||
		    span->begin == span->end)
			return false;
	}
	return true;
}

/* Minutes since Monday 00:00 on the local clock. */
static unsigned minute_of_week(time_t when)
{
	struct tm parts;

	if (!localtime_r(&when, &parts))
		return 0;
	return (unsigned)((parts.tm_wday + 6) % 7 * DAY_MINUTES + parts.tm_hour * 60 +
			  parts.tm_min);
}

static unsigned minutes_until(unsigned from, unsigned to)
{
	return (to + WEEK_MINUTES - from % WEEK_MINUTES) % WEEK_MINUTES;
}

static bool open_at_minute(const struct hours *hours, unsigned minute)
{
	for (size_t i = 0; i < hours->count && i < HOURS_SPANS_MAX; i++)
		for (unsigned day = 0; day < ARRAY_LENGTH(day_names); day++)
			if (hours->spans[i].days & 1u << day &&
			    minutes_until(day * DAY_MINUTES + hours->spans[i].begin, minute) <
				length_of(&hours->spans[i]))
				return true;
	return false;
}

bool hours_open(const struct hours *hours, time_t now)
{
	return hours->count == 0 || open_at_minute(hours, minute_of_week(now));
}

/* How long until some span begins or ends, were the clock never changed; at least one minute. */
static unsigned minutes_to_edge(const struct hours *hours, unsigned minute)
{
	unsigned least = WEEK_MINUTES;

	for (size_t i = 0; i < hours->count && i < HOURS_SPANS_MAX; i++)
		for (unsigned day = 0; day < ARRAY_LENGTH(day_names); day++) {
			unsigned begin = day * DAY_MINUTES + hours->spans[i].begin;
			unsigned edges[] = {
			    minutes_until(minute, begin),
			    minutes_until(minute, begin + length_of(&hours->spans[i]))};

			if (!(hours->spans[i].days & 1u << day))
				continue;
			for (size_t j = 0; j < ARRAY_LENGTH(edges); j++)
				if (edges[j] > 0 && edges[j] < least)
					least = edges[j];
		}
	return least;
}

time_t hours_next_change(const struct hours *hours, time_t now)
{
	bool open = hours_open(hours, now);
	time_t end = now + (WEEK_MINUTES + DAY_MINUTES) * 60, when = now - now % 60 + 60;

	if (hours->count == 0)
		return 0;
	while (when <= end) {
		unsigned edge;

		if (hours_open(hours, when) != open)
			return when;
		edge = minutes_to_edge(hours, minute_of_week(when));
		when += 60 * (time_t)(edge > JUMP_MINUTES ? edge - JUMP_MINUTES : 1);
	}
	return 0;
}

uint64_t hours_shortest(const struct hours *hours)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < hours->count && i < HOURS_SPANS_MAX; i++)
		if (length_of(&hours->spans[i]) * 60u < least)
			least = length_of(&hours->spans[i]) * 60u;
	return least;
}
