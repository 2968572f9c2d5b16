/* helper/admin/top_act.c - what `carrel top` does to a container: it runs the command for it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/admin/commands.h"
#include "helper/admin/top.h"

static const struct command actions[] = {
    [TOP_FREEZE] = {"freeze", "NAME", "", run_freeze, true},
    [TOP_THAW] = {"thaw", "NAME", "", run_thaw, true},
    [TOP_STOP] = {"stop", "NAME", "", run_stop, true},
    [TOP_MESSAGE] = {"message", "NAME TEXT", "", run_message, true},
};

/* The terminal is the screen's: neither its signals nor its lines are the command's. */
static void leave_terminal(int told)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGTSTP, SIGHUP};
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
		(void)signal(signals[i], SIG_DFL);
	if (nothing >= 0)
		(void)dup2(nothing, STDIN_FILENO);
	(void)dup2(told, STDOUT_FILENO);
	(void)dup2(told, STDERR_FILENO);
}

pid_t top_act(enum top_action action, const char *name, const char *text, int told)
{
	const struct command *command = &actions[action];
	/* "--": what follows is no option, whatever it begins with. */
	char *words[] = {strdup(command->name), strdup("--"), strdup(name),
			 text ? strdup(text) : NULL, NULL};
	int count = text ? 4 : 3;
	pid_t pid = -1;

	if (words[0] && words[1] && words[2] && (!text || words[3])) {
		(void)fflush(NULL);
		pid = fork();
	}
	if (pid == 0) {
		leave_terminal(told);
		_exit(command->run(command, count, words) == STATUS_OK ? 0 : 1);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		free(words[i]);
	return pid;
}
