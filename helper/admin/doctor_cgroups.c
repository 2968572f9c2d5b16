/* helper/admin/doctor_cgroups.c - which limits can this machine enforce? */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/doctor.h"
#include "helper/limits/limits.h"

#define MOUNTS_MAX (16 * 1024 * 1024)

static const struct {
	enum cgroup_controller controller;
	const char *what;
} controllers[] = {
    {CGROUP_MEMORY, "memory"},
    {CGROUP_CPU, "cpu"},
    {CGROUP_PIDS, "pids"},
    {CGROUP_IO, "read_rate and write_rate"},
};

static void report_controllers(const struct cgroup_layout *layout, struct report *report)
{
	for (size_t i = 0; i < ARRAY_LENGTH(controllers); i++) {
		bool there = layout->available & (1u << controllers[i].controller);

		report_add(report, there ? GRADE_OK : GRADE_WARNING, "cgroups",
			   there ? "%s can be limited"
				 : "%s cannot be limited: a policy that does "
				   "so refuses its users",
			   controllers[i].what);
	}
}

static void describe_layout(const struct cgroup_layout *layout, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < layout->root_count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s (%s)", i ? ", " : "",
					 layout->roots[i].name, layout->roots[i].v2 ? "v2" : "v1");
}

/*
 * Moving a process into a cgroup waits for an RCU grace period when none was moved for a while,
 * unless the hierarchy was mounted with favordynmods (Linux 6.0,
 * Documentation/admin-guide/cgroup-v2.rst).
 */
static void report_moves(struct report *report)
{
	struct failure ignored;
	_cleanup_free_ char *mounts =
	    file_read_at(AT_FDCWD, "/proc/self/mounts", MOUNTS_MAX, NULL, &ignored);
	const char *line = mounts ? strstr(mounts, " /sys/fs/cgroup cgroup2 ") : NULL;
	const char *option = line ? strstr(line, "favordynmods") : NULL;

	if (line && (!option || option > line + strcspn(line, "\n")))
		report_add(report, GRADE_WARNING, "cgroups",
			   "a login after a quiet moment waits some 10 ms for the kernel; mount -o "
			   "remount,favordynmods /sys/fs/cgroup takes that away");
}

void doctor_cgroups(const struct config *config, struct report *report)
{
	bool systemd = access("/run/systemd/system", F_OK) == 0;
	struct cgroup_layout layout;
	struct failure why;
	char hierarchies[400];

	if (!cgroup_layout_find(config ? config->cgroup_parent : NULL, -1, &layout, &why)) {
		report_failure(report, GRADE_PROBLEM, "cgroups", &why);
		if (systemd)
			report_add(report, GRADE_PROBLEM, "systemd",
				   "carrel.service holds the containers: is it running? "
				   "systemctl enable --now carrel.service");
		return;
	}
	describe_layout(&layout, hierarchies, sizeof(hierarchies));
	report_add(report, GRADE_OK, "cgroups", "below %s in %s", layout.parent, hierarchies);
	report_controllers(&layout, report);
	report_moves(report);
	if (!systemd)
		report_add(report, GRADE_OK, "systemd", "not this machine's init");
	else if (strstr(layout.parent, "carrel.service"))
		report_add(report, GRADE_OK, "systemd", "carrel.service is active and delegated");
	else
		report_add(
		    report, GRADE_WARNING, "systemd",
		    "containers are below %s and not below carrel.service: a restart of what "
		    "owns that place may end them; unset cgroup_parent in carrel.conf",
		    layout.parent);
	cgroup_layout_close(&layout);
}
