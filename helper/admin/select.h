/* helper/admin/select.h - which containers, or whose, a command was told to work on. */
#ifndef CARREL_HELPER_ADMIN_SELECT_H
#define CARREL_HELPER_ADMIN_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/admin/admin.h"
#include "helper/admin/context.h"

/* One of: names as operands, --group, --policy, --all. */
struct selector {
	bool all;
	const char *group, *policy; /* NULL: not given */
};

/* Their lines in a command's table of options. A command without --all leaves the last one out. */
#define SELECT_GROUP(it)                                                                           \
	{                                                                                          \
		.name = "group", .letter = 'g', .value = &(it)->group                              \
	}
#define SELECT_POLICY(it)                                                                          \
	{                                                                                          \
		.name = "policy", .letter = 'p', .value = &(it)->policy                            \
	}
#define SELECT_ALL(it)                                                                             \
	{                                                                                          \
		.name = "all", .letter = 'a', .flag = &(it)->all                                   \
	}

/* True when exactly one way of selecting was used; otherwise it is an error of usage. */
bool selector_is_sound(const struct selector *selector, size_t operands);
#define SELECT_ONE_WAY "give names, --group, --policy or --all, and only one of them"

/* Names in the order of the alphabet, each once. */
struct name_set {
	char **items;
	size_t count;
};
void name_set_free(struct name_set *set);
#define _cleanup_names_ __attribute__((cleanup(name_set_free)))

/* Which of them: those that run now, or those that are only stored too. */
enum select_which { SELECT_RUNNING, SELECT_EXISTING };

/*
 * The containers that are meant. A name is one of a container, or else of a user and means the
 * container that the policies give that user. --group is by NSS: containers that the policies give
 * its members, and those that belong to one of them alone. --policy is what the containers' records
 * say. A name that leads to no container is told, and STATUS_FAILED returned with nothing chosen; a
 * named container that does not run is chosen whatever `which` says, so that the command can say
 * so. STATUS_GO_ON otherwise, also when nothing is chosen by a group, a policy or --all. Release
 * with name_set_free.
 */
int select_containers(const struct context *context, const struct selector *selector,
		      const struct operands *names, enum select_which which, struct name_set *set);

/* What to print when nothing is chosen: "no container is running", "no container of group ...". */
void select_tell_none(const struct selector *selector, enum select_which which);

/* A user, and what a login of theirs would find. */
struct person {
	char *user;
	char container[65];          /* "": they are not contained */
	const struct policy *policy; /* NULL unless contained; of the context's config */
	char reason[200];            /* why they are not, "" otherwise */
};
struct people {
	struct person *items;
	size_t count;
};
void people_free(struct people *people);
#define _cleanup_people_ __attribute__((cleanup(people_free)))

/*
 * The users that are meant, in the order of the alphabet, whether a container exists or not: those
 * named, the members of --group, those whom --policy contains. As if they came by PAM service sshd.
 * With --all: every user that any policy's groups and users name. Users that nobody knows and, when
 * they were named one by one, users that are not contained are told, and STATUS_FAILED returned
 * with nothing chosen. STATUS_GO_ON otherwise. The policies must be sound.
 */
int select_people(const struct context *context, const struct selector *selector,
		  const struct operands *names, struct people *people);

/* The policies' answer for one user; false with *why when the user cannot be looked up. */
bool person_find(const struct config *config, const char *user, struct person *person,
		 struct failure *why);

/* Members of a group by NSS: those that it lists, and those whose primary group it is. */
bool group_people(const char *group, struct name_set *set, struct failure *why);

/* Add a copy; false when out of memory. name_set_sort puts in order and drops what stands twice. */
bool name_set_add(struct name_set *set, const char *name);
void name_set_sort(struct name_set *set);
/* Add the names of a word with commas between them, where an operand has room for one word only. */
bool name_set_split(struct name_set *set, char *word);
bool name_set_has(const struct name_set *set, const char *name); /* of a sorted set */

#endif
