/* tests/unit/private_mounts.c - checks that need an /etc, a /dev or a /var/log of their own. */
#include "tests/unit/private_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "tests/unit/suites.h"

#define NOT_PERMITTED 77

static int run(const char *const *places, int (*check)(void))
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return NOT_PERMITTED;
	for (; *places; places++)
		if (mount("none", *places, "tmpfs", 0, "mode=755") < 0)
			return NOT_PERMITTED;
	return check();
}

void check_with_private(const char *const *places, int (*check)(void), const char *name)
{
	int status;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		status = run(places, check);
		(void)fflush(NULL);
		_exit(status);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status), "the check died of signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == NOT_PERMITTED)
		printf("SKIP  %s: mounts are not permitted here\n", name);
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}

int write_private(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd >= 0 && file_write_all(fd, text, strlen(text)) ? 0 : -1;
}
