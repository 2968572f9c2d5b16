/* helper/main.c - carrel-helper: make this process safe, then serve one request. */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/seccomp/seccomp_profile.h"
#include "helper/session/session.h"

#define CHANNEL_FD 0

/*
 * Undo what the login service's own life left: limits that pam_limits set for the user would end
 * this process in the middle (RLIMIT_FSIZE, RLIMIT_CPU).
 */
static bool settle(struct failure *why)
{
	static const int lifted[] = {RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_AS, RLIMIT_DATA};
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	const struct rlimit files = {1024, 4096}, no_core = {0, 0};

	/* su that an ordinary user called keeps their real uid and groups (credentials(7)). */
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return fail(why, FAILURE_REQUEST, errno, "carrel-helper needs root");
	/* Raising needs CAP_SYS_RESOURCE; where root lacks it, what is inherited has to do. */
	for (size_t i = 0; i < ARRAY_LENGTH(lifted); i++)
		(void)setrlimit(lifted[i], &unlimited);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	/* This process holds the host's secrets: no core file. */
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot switch off core files");
	(void)umask(022); /* every mode is given where a file is made */
	if (chdir("/") < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot go to /");
	return true;
}

/* Which of them it is shows in ps(1); the request says what to do. */
static bool is_purpose(const char *word)
{
	return strcmp(word, "session") == 0 || strcmp(word, "enter") == 0 ||
	       strcmp(word, "start") == 0;
}

int main(int argc, char **argv)
{
	struct failure why = {0};

	if (argc != 2 || !is_purpose(argv[1])) {
		(void)fprintf(stderr, "carrel-helper is started by the PAM module and by carrel; "
				      "see carrel-helper(8)\n");
		return 2;
	}
	(void)clearenv();
	(void)prctl(PR_SET_NAME, "carrel-helper"); /* also of carrel-helper-full, in ps(1) */
	if (!settle(&why) || !helper_confine(&why)) {
		(void)fprintf(stderr, "carrel-helper: %s\n", why.text);
		return 1;
	}
	return session_main(CHANNEL_FD);
}
