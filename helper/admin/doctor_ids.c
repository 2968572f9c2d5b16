/* helper/admin/doctor_ids.c - nobody but containers may have the host ids that containers are
 * given. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "helper/admin/doctor.h"

#define BLOCK_SIZE 65536

struct id_range {
	uint64_t first, end;
};

static bool is_within(const struct id_range *range, uint64_t id)
{
	return id >= range->first && id < range->end;
}

static size_t count_accounts(const struct id_range *range, struct report *report)
{
	const struct passwd *user;
	const struct group *group;
	size_t found = 0;

	setpwent();
	while ((user = getpwent())) {
		if (!is_within(range, user->pw_uid))
			continue;
		report_add(report, GRADE_PROBLEM, "ids",
			   "user %s has uid %u, which a container may get", user->pw_name,
			   (unsigned)user->pw_uid);
		found++;
	}
	endpwent();
	setgrent();
	while ((group = getgrent())) {
		if (!is_within(range, group->gr_gid))
			continue;
		report_add(report, GRADE_PROBLEM, "ids",
			   "group %s has gid %u, which a container may get", group->gr_name,
			   (unsigned)group->gr_gid);
		found++;
	}
	endgrent();
	return found;
}

/* One line of subuid(5): "name:first:count". */
static bool line_overlaps(const struct id_range *range, const char *line)
{
	const char *colon = strchr(line, ':');
	uint64_t first = 0, count = 0;

	if (!colon || sscanf(colon + 1, "%" SCNu64 ":%" SCNu64, &first, &count) != 2)
		return false;
	return first < range->end && first + count > range->first;
}

static size_t count_subordinate(const char *path, const struct id_range *range,
				struct report *report)
{
	_cleanup_close_ int file = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct failure why;
	char *state = NULL;
	size_t found = 0;

	if (file < 0)
		return 0;
	text = file_read(file, 4 * 1024 * 1024, NULL, path, &why);
	for (char *line = text ? strtok_r(text, "\n", &state) : NULL; line;
	     line = strtok_r(NULL, "\n", &state)) {
		if (!line_overlaps(range, line))
			continue;
		report_add(report, GRADE_PROBLEM, "ids",
			   "%s gives ids away that containers may get: %s", path, line);
		found++;
	}
	return found;
}

void doctor_ids(const struct config *config, struct report *report)
{
	struct id_range range;

	if (!config)
		return;
	range.first = config->id_base;
	range.end = range.first + (uint64_t)config->id_blocks * BLOCK_SIZE;
	if (count_accounts(&range, report) + count_subordinate("/etc/subuid", &range, report) +
	    count_subordinate("/etc/subgid", &range, report))
		report_add(report, GRADE_PROBLEM, "ids",
			   "choose another id_base in carrel.conf (now %" PRIu64 " to %" PRIu64 ")",
			   range.first, range.end - 1);
	else
		report_add(report, GRADE_OK, "ids",
			   "nobody else has the ids %" PRIu64 " to %" PRIu64, range.first,
			   range.end - 1);
}
