/* helper/init/hits.c - tell when the container has run into a limit. */
#include "helper/init/hits.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static const struct {
	size_t offset; /* in struct cgroup_usage */
	const char *one, *many;
} counters[] = {
    {offsetof(struct cgroup_usage, memory_kills), "a process was killed for want of memory",
     "processes were killed for want of memory"},
    {offsetof(struct cgroup_usage, pids_refusals), "a process more than pids was refused",
     "processes more than pids were refused"},
};

static uint64_t value_of(const struct cgroup_usage *usage, size_t i)
{
	return *(const uint64_t *)(const void *)((const char *)usage + counters[i].offset);
}

void hits_begin(struct room *room)
{
	cgroup_usage_hits(&room->layout, &room->cgroup, &room->hits);
}

static void tell(const struct room *room, size_t i, uint64_t count)
{
	struct event event = EVENT_INIT;
	char reason[128];

	if (count == 1)
		(void)snprintf(reason, sizeof(reason), "%s", counters[i].one);
	else
		(void)snprintf(reason, sizeof(reason), "%" PRIu64 " %s", count, counters[i].many);
	event.event = "limit";
	/* Whose it was is known when there is one only. */
	event.user = room->sessions.count == 1 ? room->sessions.items[0]->public.user : NULL;
	event.container = room->settings.name;
	event.policy = room->settings.policy;
	event.reason = reason;
	event.count = count;
	event_append(room->events, &event);
}

void hits_tell(struct room *room)
{
	struct cgroup_usage now;

	cgroup_usage_hits(&room->layout, &room->cgroup, &now);
	for (size_t i = 0; i < ARRAY_LENGTH(counters); i++) {
		uint64_t before = value_of(&room->hits, i), value = value_of(&now, i);

		if (before != UINT64_MAX && value != UINT64_MAX && value > before)
			tell(room, i, value - before);
	}
	room->hits = now;
}
