/* helper/accounts/group_merge.c - bring a user's groups into the text of a group file, purely. */
#include <stdlib.h>
#include <string.h>

#include "helper/accounts/accounts.h"
#include "helper/accounts/entry_lines.h"

/* The name a group has inside; one without a name on the host is called by its number. */
static void add_name(struct entry_text *out, const struct account_group *group)
{
	if (group->name) {
		entry_add_field(out, group->name);
		return;
	}
	entry_add_string(out, "group");
	entry_add_number(out, group->gid);
}

static void add_entry(struct entry_text *out, const struct account_group *group,
		      const char *members, size_t members_length)
{
	add_name(out, group);
	entry_add_string(out, ":x:");
	entry_add_number(out, group->gid);
	entry_add_string(out, ":");
	entry_add(out, members, members_length);
}

static bool has_member(const char *members, size_t length, const char *user)
{
	size_t user_length = strlen(user);

	while (length > 0) {
		const char *comma = memchr(members, ',', length);
		size_t one = comma ? (size_t)(comma - members) : length;

		if (one == user_length && memcmp(members, user, one) == 0)
			return true;
		if (!comma)
			return false;
		members += one + 1;
		length -= one + 1;
	}
	return false;
}

/* An entry is ours when the name is; a line of another name with our gid stays, after ours. */
static bool is_same(const char *line, size_t length, const struct account_group *group)
{
	return group->name && entry_field_is(line, length, 0, group->name);
}

static bool has_gid(const char *line, size_t length, gid_t gid)
{
	unsigned number;

	return entry_field_number(line, length, 2, &number) && number == gid;
}

/* The members a group already has in the old text, under the same gid. */
static const char *old_members(const char *text, const struct account_group *group, size_t *length)
{
	const char *line;
	size_t line_length;

	while ((line = entry_next_line(&text, &line_length))) {
		const char *members = entry_field(line, line_length, 3, length);

		if (members && has_gid(line, line_length, group->gid) &&
		    (!group->name || is_same(line, line_length, group)))
			return members;
	}
	*length = 0;
	return "";
}

static void add_group(struct entry_text *out, const char *old_text, const struct account *account,
		      const struct account_group *group)
{
	size_t length;
	const char *members = old_members(old_text, group, &length);

	add_entry(out, group, members, length);
	/* A primary group needs no member line, and tools do not write one (group(5)). */
	if (group->gid != account->gid && !has_member(members, length, account->name)) {
		entry_add_string(out, length ? "," : "");
		entry_add_field(out, account->name);
	}
	entry_add_string(out, "\n");
}

/* Is this line replaced by one of ours? */
static bool is_replaced(const char *line, size_t length, const struct account *account,
			const struct id_map *gid_map)
{
	for (size_t i = 0; i < account->group_count; i++) {
		const struct account_group *group = &account->groups[i];

		if (!id_map_contains(gid_map, group->gid))
			continue;
		if (is_same(line, length, group) ||
		    (!group->name && has_gid(line, length, group->gid)))
			return true;
	}
	return false;
}

char *group_merge(const char *old_text, const struct account *account, const struct id_map *gid_map,
		  struct failure *why)
{
	struct entry_text out = {0};
	const char *at = old_text, *line;
	size_t length;
	char *text;

	for (size_t i = 0; i < account->group_count; i++)
		if (id_map_contains(gid_map, account->groups[i].gid))
			add_group(&out, old_text, account, &account->groups[i]);
	while ((line = entry_next_line(&at, &length))) {
		if (is_replaced(line, length, account, gid_map))
			continue;
		entry_add(&out, line, length);
		entry_add_string(&out, "\n");
	}
	text = entry_finish(&out);
	if (!text)
		fail(why, FAILURE_LIMIT, 0, "the container's group file is larger than 1 MiB");
	return text;
}
