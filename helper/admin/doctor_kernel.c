/* helper/admin/doctor_kernel.c - the kernel's version and the namespaces that it lets root make. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/doctor.h"

static void check_version(struct report *report)
{
	unsigned major = 0, minor = 0;
	struct utsname kernel;

	if (uname(&kernel) < 0 || sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
		report_add(report, GRADE_WARNING, "kernel", "cannot tell which version this is");
	else if (major < 6 || (major == 6 && minor < 1))
		report_add(report, GRADE_PROBLEM, "kernel",
			   "Linux %s is too old: Carrel needs 6.1 or newer", kernel.release);
	else
		report_add(report, GRADE_OK, "kernel", "Linux %s", kernel.release);
}

static void check_namespace_count(struct report *report)
{
	static const char path[] = "/proc/sys/user/max_user_namespaces";
	_cleanup_close_ int file = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct failure why;
	unsigned long most;

	if (file >= 0)
		text = file_read(file, 64, NULL, path, &why);
	if (!text) {
		report_add(report, GRADE_PROBLEM, "namespaces",
			   "the kernel has no user namespaces (CONFIG_USER_NS)");
		return;
	}
	most = strtoul(text, NULL, 10);
	if (most < 64)
		report_add(report, GRADE_PROBLEM, "namespaces",
			   "only %lu user namespaces are allowed, every container is one: raise "
			   "user.max_user_namespaces with sysctl",
			   most);
	else
		report_add(report, GRADE_OK, "namespaces", "up to %lu containers at once", most);
}

/* Make every namespace of a container in a child that then ends. */
static void try_namespaces(struct report *report)
{
	static const int namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
				      CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(unshare(namespaces) == 0 ? 0 : errno);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		report_add(report, GRADE_PROBLEM, "namespaces", "cannot try namespaces: %s",
			   strerror(errno));
	else if (WEXITSTATUS(status))
		report_add(report, GRADE_PROBLEM, "namespaces",
			   "cannot make the namespaces of a container: %s",
			   strerror(WEXITSTATUS(status)));
	else
		report_add(report, GRADE_OK, "namespaces", "all seven kinds can be made");
}

static void check_seccomp(struct report *report)
{
	if (access("/proc/sys/kernel/seccomp/actions_avail", F_OK) == 0)
		report_add(report, GRADE_OK, "seccomp", "filters are there");
	else
		report_add(report, GRADE_PROBLEM, "seccomp",
			   "the kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)");
}

void doctor_kernel(const struct config *config, struct report *report)
{
	(void)config;
	check_version(report);
	check_namespace_count(report);
	try_namespaces(report);
	check_seccomp(report);
}
