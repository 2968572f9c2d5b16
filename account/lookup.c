/* account/lookup.c - who a user is, through NSS. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "base/cleanup.h"

#define BUFFER_FIRST  4096
#define BUFFER_MOST   (16 * 1024 * 1024)
#define GROUPS_FIRST  1024  /* who is in more has the sources asked twice */
#define GROUPS_MOST   65536 /* NGROUPS_MAX, getgroups(2) */
#define AT_ONCE_LEAST 8     /* groups of which the names are looked up in one go */
#define LISTED_MOST   65536 /* of the machine's groups, to find them among */

/* What getpwnam_r and its kin write strings into. Kept from call to call, so that it grows once. */
struct buffer {
	char *bytes;
	size_t size;
};

static void cleanup_buffer(struct buffer *buffer)
{
	free(buffer->bytes);
}

#define _cleanup_buffer_ __attribute__((cleanup(cleanup_buffer)))

static bool grow(struct buffer *buffer)
{
	size_t size = buffer->size ? buffer->size * 2 : BUFFER_FIRST;
	char *grown = size <= BUFFER_MOST ? realloc(buffer->bytes, size) : NULL;

	if (!grown)
		return false;
	*buffer = (struct buffer){grown, size};
	return true;
}

/*
 * After a call that answered `error`: make more room or not, and say whether to call again. What
 * does not fit into the largest buffer is an error, not an absence.
 */
static bool call_again(struct buffer *buffer, int *error)
{
	if (*error == EINTR)
		return true;
	if (*error != ERANGE)
		return false;
	if (grow(buffer))
		return true;
	*error = ENOMEM;
	return false;
}

/* getpwnam_r(3): all of these mean "not found", depending on the source. */
static bool means_absent(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static struct passwd *find_user(const char *user, struct passwd *entry, struct buffer *buffer,
				int *error)
{
	struct passwd *found = NULL;

	*error = grow(buffer) ? 0 : ENOMEM;
	if (*error)
		return NULL;
	do
		*error = getpwnam_r(user, entry, buffer->bytes, buffer->size, &found);
	while (call_again(buffer, error));
	return found;
}

/*
 * False when NSS could not say: policies go by the names of groups, and a group that lost its name
 * to a directory service that is down must not lead to another policy.
 */
static bool find_group_name(gid_t gid, struct buffer *buffer, char **name, struct failure *why)
{
	struct group entry, *found = NULL;
	int error;

	*name = NULL;
	do
		error = getgrgid_r(gid, &entry, buffer->bytes, buffer->size, &found);
	while (call_again(buffer, &error));
	if (!found && means_absent(error))
		return true;
	if (!found)
		return fail(why, FAILURE_SYSTEM, error, "cannot look up the name of group %u", gid);
	if (strlen(found->gr_name) > ACCOUNT_NAME_MAX)
		return fail(why, FAILURE_DATA, 0, "the name of group %u is longer than %d bytes",
			    gid, ACCOUNT_NAME_MAX);
	*name = strdup(found->gr_name);
	return *name || fail(why, FAILURE_SYSTEM, ENOMEM, "cannot keep the name of group %u", gid);
}

static gid_t *list_gids(const struct account *account, int *count)
{
	int room = GROUPS_FIRST;

	for (;;) {
		gid_t *gids = calloc((size_t)room, sizeof(*gids));
		int wanted = room;

		if (!gids)
			return NULL;
		if (getgrouplist(account->name, account->gid, gids, &wanted) >= 0) {
			*count = wanted;
			return gids;
		}
		free(gids);
		if (room >= GROUPS_MOST)
			return NULL;
		/* The list may grow again until the next call. */
		room = wanted > room ? wanted : room * 2;
	}
}

/* From `next` on: sources tend to list the user's groups in the order in which they list all. */
static void take_name(struct account *account, const struct group *entry, size_t *next,
		      size_t *missing)
{
	for (size_t i = 0; i < account->group_count; i++) {
		size_t at = (*next + i) % account->group_count;
		struct account_group *group = &account->groups[at];

		if (group->gid != entry->gr_gid)
			continue;
		if (!group->name && strlen(entry->gr_name) <= ACCOUNT_NAME_MAX) {
			group->name = strdup(entry->gr_name);
			*missing -= group->name != NULL;
		}
		*next = at + 1;
		return;
	}
}

/*
 * Each question for one group reads the group file from its start, so that who is in hundreds pays
 * with the square. Reading all groups once, in the order in which the sources would be asked, finds
 * the same names; what it does not find, because a directory service does not list its groups or
 * there are far more than the user has, is asked for one by one.
 */
static void find_names_at_once(struct account *account, struct buffer *buffer)
{
	size_t missing = account->group_count, next = 0;
	struct group entry, *found;

	setgrent();
	for (size_t seen = 0; missing && seen < LISTED_MOST; seen++) {
		int error;

		do
			error = getgrent_r(&entry, buffer->bytes, buffer->size, &found);
		while (call_again(buffer, &error));
		if (error)
			break;
		take_name(account, found, &next, &missing);
	}
	endgrent();
}

static int compare_gids(const void *a, const void *b)
{
	const gid_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* The primary group, then each other once, in the order of the list. */
static bool add_groups(struct account *account, const gid_t *gids, size_t count)
{
	_cleanup_free_ bool *seen = calloc(count + 1, sizeof(*seen));
	_cleanup_free_ gid_t *sorted = calloc(count + 1, sizeof(*sorted));

	if (!seen || !sorted)
		return false;
	account->groups[account->group_count++].gid = account->gid;
	if (count > 0) {
		memcpy(sorted, gids, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), compare_gids);
	}
	for (size_t i = 0; i < count; i++) {
		const gid_t *found =
		    bsearch(&gids[i], sorted, count, sizeof(*sorted), compare_gids);
		bool *here = &seen[found - sorted];

		while (found > sorted && found[-1] == gids[i]) {
			found--;
			here--;
		}
		if (!*here && gids[i] != account->gid)
			account->groups[account->group_count++].gid = gids[i];
		*here = true;
	}
	return true;
}

static bool find_names(struct account *account, struct buffer *buffer, struct failure *why)
{
	if (account->group_count >= AT_ONCE_LEAST)
		find_names_at_once(account, buffer);
	for (size_t i = 0; i < account->group_count; i++) {
		struct account_group *group = &account->groups[i];

		if (!group->name && !find_group_name(group->gid, buffer, &group->name, why))
			return false;
	}
	return true;
}

static bool fill_groups(struct account *account, struct buffer *buffer, struct failure *why)
{
	_cleanup_free_ gid_t *gids = NULL;
	int count = 0;

	gids = list_gids(account, &count);
	account->groups = gids ? calloc((size_t)count + 1, sizeof(*account->groups)) : NULL;
	if (!account->groups)
		return fail(why, FAILURE_SYSTEM, 0, "cannot list the groups of the user '%s'",
			    account->name);
	if (!add_groups(account, gids, (size_t)count))
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot keep the groups of the user '%s'",
			    account->name);
	return find_names(account, buffer, why);
}

static char *copy_field(const char *field)
{
	return strdup(field ? field : "");
}

/* A gecos field is for people to read: what is too long of it goes. */
static bool fill_entry(struct account *account, const struct passwd *entry, struct failure *why)
{
	account->uid = entry->pw_uid;
	account->gid = entry->pw_gid;
	account->name = copy_field(entry->pw_name);
	account->home = copy_field(entry->pw_dir);
	account->shell = copy_field(entry->pw_shell);
	account->gecos = entry->pw_gecos ? strndup(entry->pw_gecos, ACCOUNT_FIELD_MAX) : strdup("");
	if (!account->name || !account->home || !account->shell || !account->gecos)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot keep the user's entry");
	if (strlen(account->name) > ACCOUNT_NAME_MAX || strlen(account->home) > ACCOUNT_FIELD_MAX ||
	    strlen(account->shell) > ACCOUNT_FIELD_MAX)
		return fail(why, FAILURE_DATA, 0,
			    "the name, home or shell in the entry of uid %u is too long",
			    account->uid);
	return true;
}

static bool check_name(const char *user, struct failure *why)
{
	size_t length = strnlen(user, ACCOUNT_NAME_MAX + 1);

	if (length > 0 && length <= ACCOUNT_NAME_MAX)
		return true;
	return fail(why, FAILURE_MISSING, 0, "a user name must have 1 to %d bytes",
		    ACCOUNT_NAME_MAX);
}

struct account *account_lookup(const char *user, struct failure *why)
{
	_cleanup_buffer_ struct buffer buffer = {0};
	struct passwd entry, *found;
	struct account *account;
	int error;

	if (!check_name(user, why))
		return NULL;
	found = find_user(user, &entry, &buffer, &error);
	if (!found && means_absent(error)) {
		(void)fail(why, FAILURE_MISSING, 0, "there is no user '%s' (getent passwd)", user);
		return NULL;
	}
	account = found ? calloc(1, sizeof(*account)) : NULL;
	if (!account) {
		(void)fail(why, FAILURE_SYSTEM, found ? ENOMEM : error,
			   "cannot look up the user '%s'", user);
		return NULL;
	}
	/* The entry's strings are in the buffer: they are copied before it is used again. */
	if (fill_entry(account, found, why) && fill_groups(account, &buffer, why))
		return account;
	failure_prefix(why, "user '%s'", user);
	account_free(account);
	return NULL;
}

static bool copy_members(char *const *from, char ***members, size_t *count)
{
	size_t wanted = 0;

	while (from[wanted])
		wanted++;
	*members = calloc(wanted + 1, sizeof(**members));
	if (!*members)
		return false;
	for (*count = 0; *count < wanted; ++*count) {
		(*members)[*count] = strdup(from[*count]);
		if (!(*members)[*count])
			return false;
	}
	return true;
}

bool account_group_members(const char *group, char ***members, size_t *count, struct failure *why)
{
	_cleanup_buffer_ struct buffer buffer = {0};
	struct group entry, *found = NULL;
	int error;

	*members = NULL;
	*count = 0;
	if (!grow(&buffer))
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot look up the group '%s'", group);
	do
		error = getgrnam_r(group, &entry, buffer.bytes, buffer.size, &found);
	while (call_again(&buffer, &error));
	if (!found && means_absent(error))
		return fail(why, FAILURE_MISSING, 0, "there is no group '%s' (getent group)",
			    group);
	if (!found)
		return fail(why, FAILURE_SYSTEM, error, "cannot look up the group '%s'", group);
	if (copy_members(found->gr_mem, members, count))
		return true;
	for (size_t i = 0; *members && i < *count; i++)
		free((*members)[i]);
	free(take_ptr(*members));
	*count = 0;
	return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the members of the group '%s'",
		    group);
}
