/* helper/admin/doctor_sshd.c - does sshd ask PAM at all? Without UsePAM no login meets Carrel. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/admin/doctor.h"

#define SSHD "/usr/sbin/sshd"

/* What "sshd -T" prints, its whole configuration in lower case, into text. False when it fails. */
static bool ask_sshd(char *text, size_t size)
{
	int output[2], status = 0;
	size_t used = 0;
	ssize_t got;
	pid_t child;

	if (pipe2(output, O_CLOEXEC) < 0)
		return false;
	child = fork();
	if (child == 0) {
		char *arguments[] = {(char[]){SSHD}, (char[]){"-T"}, NULL};
		char *environment[] = {NULL};
		int null = open("/dev/null", O_RDWR);

		if (null >= 0 && dup2(null, 0) == 0 && dup2(output[1], 1) == 1 &&
		    dup2(null, 2) == 2)
			(void)execve(SSHD, arguments, environment);
		_exit(127);
	}
	(void)close(output[1]);
	while (child > 0 && used + 1 < size &&
	       (got = read(output[0], text + used, size - used - 1)) > 0)
		used += (size_t)got;
	(void)close(output[0]);
	text[used] = '\0';
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

void doctor_sshd(const struct config *config, struct report *report)
{
	char text[65536];

	(void)config;
	if (access(SSHD, X_OK) < 0)
		return;
	if (!ask_sshd(text, sizeof(text)))
		report_add(report, GRADE_WARNING, "sshd",
			   "sshd -T does not tell its configuration; make sure that UsePAM is yes");
	else if (strstr(text, "usepam no"))
		report_add(
		    report, GRADE_PROBLEM, "sshd",
		    "UsePAM is no: logins by ssh do not meet Carrel at all; set it to yes in "
		    "sshd_config");
	else
		report_add(report, GRADE_OK, "sshd", "UsePAM is yes");
}
