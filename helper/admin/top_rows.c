/* helper/admin/top_rows.c - look at all containers that run, for `carrel top`. */
#include "helper/admin/top_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "helper/admin/containers.h"
#include "helper/admin/select.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t sum_of(uint64_t read, uint64_t written)
{
	if (read == UINT64_MAX)
		return written;
	return written == UINT64_MAX ? read : read + written;
}

static uint64_t or_unknown(uint64_t limit)
{
	return limit >= LIMIT_UNLIMITED ? UINT64_MAX : limit;
}

static void take_row(const struct container_info *info, void *data)
{
	struct top_look *look = data;
	struct top_row *row = &look->rows[look->count];

	if (!info->runs)
		return;
	look->count++;
	(void)snprintf(row->name, sizeof(row->name), "%s", info->name);
	(void)snprintf(row->user, sizeof(row->user), "%s", container_user(info));
	(void)snprintf(row->policy, sizeof(row->policy), "%s", container_policy(info));
	(void)snprintf(row->state, sizeof(row->state), "%s", container_state(info));
	row->sessions = info->answers ? info->session_count : UINT64_MAX;
	row->processes = info->usage.pids;
	row->cpu_microseconds = info->usage.cpu_microseconds;
	row->memory_bytes = info->usage.memory_bytes;
	row->memory_limit = or_unknown(info->held.value[LIMIT_MEMORY]);
	row->disk_bytes = info->disk.disk_bytes;
	row->disk_limit = info->disk.disk_limit_bytes;
	row->io_bytes = sum_of(info->usage.read_bytes, info->usage.written_bytes);
	row->idle_since = info->answers ? info->idle_since : 0;
	row->started_at = info->running.started_at;
	row->cpu_permille = row->io_rate = UINT64_MAX;
}

bool top_look_take(const struct context *context, struct top_look *look)
{
	static const struct selector everything = {.all = true};
	static const struct operands none = {0};
	_cleanup_names_ struct name_set names = {0};

	*look = (struct top_look){0};
	if (select_containers(context, &everything, &none, SELECT_RUNNING, &names) != STATUS_GO_ON)
		return false;
	look->rows = calloc(names.count + 1, sizeof(*look->rows));
	if (!look->rows) {
		(void)complain("out of memory");
		return false;
	}
	/* What is wrong with one has been told, and the others are shown. */
	(void)containers_load(context, names.items, names.count, DETAIL_ALL, take_row, look);
	look->taken_ms = now_ms();
	look->taken_at = (uint64_t)time(NULL);
	return true;
}

void top_look_free(struct top_look *look)
{
	free(look->rows);
	*look = (struct top_look){0};
}

/* Of what grew by so much in so many milliseconds, `scale` times as much a second. */
static uint64_t rate(uint64_t before, uint64_t now, uint64_t ms, double scale)
{
	if (before == UINT64_MAX || now == UINT64_MAX || now < before || ms == 0)
		return UINT64_MAX;
	return (uint64_t)((double)(now - before) * 1000 * scale / (double)ms + 0.5);
}

static int by_name(const void *left, const void *right)
{
	const struct top_row *a = left, *b = right;

	return strcmp(a->name, b->name);
}

void top_look_rates(const struct top_look *before, struct top_look *now)
{
	uint64_t ms = now->taken_ms > before->taken_ms ? now->taken_ms - before->taken_ms : 0;

	for (size_t i = 0; i < now->count; i++) {
		struct top_row *row = &now->rows[i];
		const struct top_row *old =
		    before->count ? bsearch(row, before->rows, before->count, sizeof(*row), by_name)
				  : NULL;

		row->cpu_permille = row->io_rate = UINT64_MAX;
		if (!old || old->started_at != row->started_at)
			continue;
		row->cpu_permille =
		    rate(old->cpu_microseconds, row->cpu_microseconds, ms, 1.0 / 1000);
		row->io_rate = rate(old->io_bytes, row->io_bytes, ms, 1);
	}
}
