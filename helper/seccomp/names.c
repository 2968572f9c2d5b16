/* helper/seccomp/names.c - the names of system calls and their numbers on this machine. */
#include "helper/seccomp/names.h"

#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "helper/seccomp/seccomp_profile.h"
#include "helper/seccomp/table.h"
#include "policy/nearest.h"

/* Longer than the longest name, set_mempolicy_home_node. */
#define NAME_BYTES 64

bool call_number(const char *name, int *number)
{
	int found;

	for (size_t i = 0; i < young_call_count; i++) {
		if (strcmp(young_calls[i].name, name) == 0) {
			*number = young_calls[i].number;
			return true;
		}
	}

	found = seccomp_syscall_resolve_name(name);
	if (found >= 0) {
		*number = found;
		return true;
	}
	/* libseccomp gives names of other architectures numbers below its error value. */
	*number = CALL_NOT_HERE;
	return found != __NR_SCMP_ERROR || call_group_find(name);
}

static bool find_nearest(const char *name, char nearest[NAME_BYTES])
{
	char candidate[NAME_BYTES];
	struct nearest search;

	nearest_start(&search, name);
	for (size_t i = 0; i < call_group_count; i++) {
		const char *position = call_groups[i].calls;
		const char *call;
		size_t length;

		while (call_group_next(&position, &call, &length)) {
			(void)snprintf(candidate, sizeof(candidate), "%.*s", (int)length, call);
			search.best = NULL;
			nearest_offer(&search, candidate);
			if (search.best)
				memcpy(nearest, candidate, sizeof(candidate));
		}
	}
	return nearest[0] != '\0';
}

bool call_number_checked(const char *name, int *number, struct failure *why)
{
	char nearest[NAME_BYTES] = "";

	if (call_number(name, number))
		return true;
	if (find_nearest(name, nearest))
		return fail(why, FAILURE_POLICY, 0,
			    "there is no system call '%.64s'; did you mean '%s'?", name, nearest);
	return fail(why, FAILURE_POLICY, 0,
		    "there is no system call '%.64s'; see syscalls(2) for their names", name);
}

bool seccomp_names_check(const struct string_list *names, struct failure *why)
{
	for (size_t i = 0; i < names->count; i++) {
		int number;

		if (!call_number_checked(names->items[i], &number, why))
			return false;
	}
	return true;
}
