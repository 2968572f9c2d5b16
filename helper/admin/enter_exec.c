/* helper/admin/enter_exec.c - in the container: become the user and the program. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "helper/admin/enter.h"

/* As shells have them: the command is not there; it is there and cannot be run. */
enum { EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static _Noreturn void give_up(int status, const char *what)
{
	(void)dprintf(STDERR_FILENO, "carrel: %s: %s\n", what, strerror(errno));
	_exit(status);
}

static void take_terminal(const struct entry *entry, int terminal)
{
	if (ioctl(terminal, TIOCSCTTY, 0) < 0)
		give_up(EXIT_CANNOT_RUN, "cannot take the terminal");
	for (int fd = 0; fd < 3; fd++)
		if (entry->is_terminal[fd] && dup2(terminal, fd) < 0)
			give_up(EXIT_CANNOT_RUN, "cannot use the terminal");
}

static void become_user(const struct account *account)
{
	uid_t uid[3];

	/* The groups are there already: those of the user that the container knows (join/commit.c).
	 */
	if (setresgid(account->gid, account->gid, account->gid) < 0 ||
	    setresuid(account->uid, account->uid, account->uid) < 0)
		give_up(EXIT_CANNOT_RUN, "the container does not know this user");
	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || uid[0] != account->uid ||
	    uid[1] != account->uid || uid[2] != account->uid ||
	    (account->uid != 0 && setuid(0) == 0))
		give_up(EXIT_CANNOT_RUN, "cannot give up being root");
}

static void restore_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void exec_shell(const struct account *account)
{
	static const char *const fallback = "/bin/sh";
	const char *shells[] = {account->shell && *account->shell ? account->shell : fallback,
				fallback};

	for (size_t i = 0; i < ARRAY_LENGTH(shells); i++) {
		const char *slash = strrchr(shells[i], '/');
		_cleanup_free_ char *name = NULL;

		/* The dash in front makes it a login shell. */
		if (asprintf(&name, "-%s", slash ? slash + 1 : shells[i]) < 0)
			break;
		(void)execl(shells[i], name, (char *)NULL);
	}
	give_up(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, shells[0]);
}

_Noreturn void entry_exec(const struct entry *entry, int terminal, char *const *environment)
{
	if (setsid() < 0)
		give_up(EXIT_CANNOT_RUN, "cannot begin a session");
	if (terminal >= 0)
		take_terminal(entry, terminal);
	become_user(entry->account);
	/* After the ids: changing them forgets it (prctl(2)). */
	(void)prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
	restore_signals();
	if (chdir(entry->account->home) < 0 && chdir("/") < 0)
		give_up(EXIT_CANNOT_RUN, "/");
	if (entry->inside)
		_exit(entry->inside(entry->context));
	environ = (char **)(uintptr_t)environment;
	if (!entry->command)
		exec_shell(entry->account);
	(void)execvp(entry->command[0], entry->command);
	give_up(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, entry->command[0]);
}
