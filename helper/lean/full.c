/* helper/lean/full.c - what takes a library is left to carrel-helper-full. */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "account/account.h"
#include "base/paths.h"
#include "helper/registry/this_build.h"
#include "helper/seccomp/program.h"
#include "policy/policy.h"

/*
 * These stand in the place of the functions that take libconfuse, libseccomp or the C library's
 * name services. Each of them executes carrel-helper-full, which begins anew with the same request:
 * it is in the channel still. What was done by then is what any helper may leave that is killed
 * there: descriptors and with them locks are closed, and the next one takes up what it finds. They
 * return only when the program cannot be executed.
 */
static void run_full(struct failure *why)
{
	char *const arguments[] = {(char[]){"carrel-helper"}, (char[]){"session"}, NULL};
	char *const environment[] = {NULL};

	(void)execve(CARREL_HELPER_FULL, arguments, environment);
	(void)fail(why, FAILURE_SYSTEM, errno,
		   "cannot execute " CARREL_HELPER_FULL ": reinstall Carrel");
}

struct config *config_load(int dir, struct config **exempt, struct failure *why)
{
	(void)dir;
	if (exempt)
		*exempt = NULL;
	run_full(why);
	return NULL;
}

struct account *account_lookup(const char *user, struct failure *why)
{
	(void)user;
	run_full(why);
	return NULL;
}

bool account_group_members(const char *group, char ***members, size_t *count, struct failure *why)
{
	(void)group;
	*members = NULL;
	*count = 0;
	run_full(why);
	return false;
}

bool program_compile(const struct seccomp_rules *rules, struct seccomp_program *program,
		     struct failure *why)
{
	(void)rules;
	program->count = 0;
	run_full(why);
	return false;
}

/* What carrel-helper-full keeps for the next is meant for this one. */
bool this_build_read(struct this_build *build)
{
	return build_of_file(CARREL_HELPER_FULL, build);
}
