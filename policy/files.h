/* policy/files.h - which files the policies are in. */
#ifndef CARREL_POLICY_FILES_H
#define CARREL_POLICY_FILES_H

#include "policy/build.h"

#define POLICY_MAIN_FILE   "carrel.conf"
#define POLICY_DROP_IN_DIR "policy.d"

/*
 * The names of the policy files in a directory, sorted by byte order; `dir` stays open and is read
 * from its start. False with *why when it cannot be listed or has too many. Release with
 * string_list_free in either case.
 */
bool policy_list_drop_ins(int dir, struct string_list *names, struct failure *why);

#endif
