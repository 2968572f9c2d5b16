/* helper/accounts/lookup.c - who a user is, through NSS. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "helper/accounts/accounts.h"

#define BUFFER_FIRST  4096
#define BUFFER_MOST   (16 * 1024 * 1024)
#define GROUPS_FIRST  64
#define GROUPS_MOST   65536 /* NGROUPS_MAX, getgroups(2) */
#define NAME_MAX_SEEN 256

/* getpwnam_r and its kin want a buffer of unknown size: ask again with a larger one on ERANGE. */
static bool grow(char **buffer, size_t *size)
{
	char *grown;

	if (*size >= BUFFER_MOST)
		return false;
	*size = *size ? *size * 2 : BUFFER_FIRST;
	grown = realloc(*buffer, *size);
	if (!grown)
		return false;
	*buffer = grown;
	return true;
}

static struct passwd *find_user(const char *user, struct passwd *entry, char **buffer, int *error)
{
	struct passwd *found = NULL;
	size_t size = 0;

	do {
		if (!grow(buffer, &size)) {
			*error = ENOMEM;
			return NULL;
		}
		*error = getpwnam_r(user, entry, *buffer, size, &found);
	} while (*error == ERANGE || *error == EINTR);
	return found;
}

static char *group_name(gid_t gid)
{
	_cleanup_free_ char *buffer = NULL;
	struct group entry, *found = NULL;
	size_t size = 0;
	int error;

	do {
		if (!grow(&buffer, &size))
			return NULL;
		error = getgrgid_r(gid, &entry, buffer, size, &found);
	} while (error == ERANGE || error == EINTR);
	return found ? strdup(found->gr_name) : NULL;
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
		room = wanted > room ? wanted : room * 2;
	}
}

static bool is_listed(const struct account *account, gid_t gid)
{
	for (size_t i = 0; i < account->group_count; i++)
		if (account->groups[i].gid == gid)
			return true;
	return false;
}

static void add_group(struct account *account, gid_t gid)
{
	if (!is_listed(account, gid))
		account->groups[account->group_count++] =
		    (struct account_group){.gid = gid, .name = group_name(gid)};
}

static bool fill_groups(struct account *account)
{
	_cleanup_free_ gid_t *gids = NULL;
	int count = 0;

	gids = list_gids(account, &count);
	account->groups = gids ? calloc((size_t)count + 1, sizeof(*account->groups)) : NULL;
	if (!account->groups)
		return false;
	add_group(account, account->gid);
	for (int i = 0; i < count; i++)
		add_group(account, gids[i]);
	return true;
}

static bool fill(struct account *account, const struct passwd *entry)
{
	account->name = strdup(entry->pw_name);
	account->uid = entry->pw_uid;
	account->gid = entry->pw_gid;
	account->home = strdup(entry->pw_dir ? entry->pw_dir : "");
	account->shell = strdup(entry->pw_shell ? entry->pw_shell : "");
	account->gecos = strdup(entry->pw_gecos ? entry->pw_gecos : "");
	return account->name && account->home && account->shell && account->gecos &&
	       fill_groups(account);
}

struct account *account_lookup(const char *user, struct failure *why)
{
	_cleanup_free_ char *buffer = NULL;
	struct passwd entry, *found;
	struct account *account;
	int error;

	if (!*user || strlen(user) > NAME_MAX_SEEN) {
		fail(why, FAILURE_MISSING, 0, "a user name must have 1 to %d bytes", NAME_MAX_SEEN);
		return NULL;
	}
	found = find_user(user, &entry, &buffer, &error);
	if (!found) {
		/* getpwnam_r(3): several codes mean "not found", depending on the source. */
		if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
		    error == EPERM)
			fail(why, FAILURE_MISSING, 0, "there is no user '%s' (getent passwd)",
			     user);
		else
			fail(why, FAILURE_SYSTEM, error, "cannot look up the user '%s'", user);
		return NULL;
	}
	account = calloc(1, sizeof(*account));
	if (account && fill(account, found))
		return account;
	account_free(account);
	fail(why, FAILURE_SYSTEM, ENOMEM, "cannot look up the groups of the user '%s'", user);
	return NULL;
}

void account_free(struct account *account)
{
	if (!account)
		return;
	for (size_t i = 0; i < account->group_count; i++)
		free(account->groups[i].name);
	free(account->groups);
	free(account->name);
	free(account->home);
	free(account->shell);
	free(account->gecos);
	free(account);
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
	_cleanup_free_ char *buffer = NULL;
	struct group entry, *found = NULL;
	size_t size = 0;
	int error;

	*members = NULL;
	*count = 0;
	do {
		if (!grow(&buffer, &size))
			return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot look up group '%s'",
				    group);
		error = getgrnam_r(group, &entry, buffer, size, &found);
	} while (error == ERANGE || error == EINTR);
	if (!found)
		return fail(why, error ? FAILURE_SYSTEM : FAILURE_MISSING, error,
			    "cannot look up group '%s'", group);
	if (copy_members(found->gr_mem, members, count))
		return true;
	for (size_t i = 0; *members && i < *count; i++)
		free((*members)[i]);
	free(take_ptr(*members));
	return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot list the members of group '%s'", group);
}
