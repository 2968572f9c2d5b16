/* helper/admin/doctor_cgroups.c - which limits can this machine enforce? */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/admin/doctor.h"
#include "helper/limits/limits.h"

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

void doctor_cgroups(const struct config *config, struct report *report)
{
	bool systemd = access("/run/systemd/system", F_OK) == 0;
	struct cgroup_layout layout;
	struct failure why;
	char hierarchies[400];

	if (!cgroup_layout_find(config ? config->cgroup_parent : NULL, &layout, &why)) {
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
