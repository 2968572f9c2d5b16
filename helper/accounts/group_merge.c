/* helper/accounts/group_merge.c - bring a user's groups into the text of a group file, purely. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "helper/accounts/accounts.h"
#include "helper/accounts/entry_lines.h"

struct merge {
	const struct account *account;
	const struct id_map *gid_map;
	const char *old_text;
	bool *written; /* for each of the account's groups */
	struct entry_text out;
};

static bool is_shown(const struct merge *merge, size_t index)
{
	return id_map_contains(merge->gid_map, merge->account->groups[index].gid);
}

static size_t find_by_name(const struct merge *merge, const char *line, size_t length)
{
	const struct account *account = merge->account;
	size_t i = 0, name_length;
	const char *name = entry_field(line, length, 0, &name_length);

	if (!name || !memchr(line, ':', length))
		return account->group_count;
	while (i < account->group_count &&
	       !(account->groups[i].name &&
		 entry_is_value(name, name_length, account->groups[i].name) && is_shown(merge, i)))
		i++;
	return i;
}

static size_t find_by_gid(const struct merge *merge, const char *line, size_t length)
{
	const struct account *account = merge->account;
	unsigned gid;
	size_t i = 0;

	if (!entry_field_number(line, length, 2, &gid))
		return account->group_count;
	while (i < account->group_count && !(account->groups[i].gid == gid && is_shown(merge, i)))
		i++;
	return i;
}

/* A group that the host has no name for keeps the one that it has inside. */
static void add_name(struct entry_text *out, const struct account_group *group, const char *line,
		     size_t line_length)
{
	size_t length;
	const char *name = line ? entry_field(line, line_length, 0, &length) : NULL;

	if (group->name) {
		entry_add_field(out, group->name);
	} else if (name && length > 0) {
		entry_add(out, name, length);
	} else {
		entry_add_string(out, "group");
		entry_add_number(out, group->gid);
	}
}

/* Write a group, with the members of the line that it replaces (NULL: it replaces none). */
static void write_group(struct merge *merge, size_t index, const char *line, size_t line_length)
{
	const struct account_group *group = &merge->account->groups[index];
	size_t length = 0;
	const char *members = line ? entry_field(line, line_length, 3, &length) : NULL;

	merge->written[index] = true;
	add_name(&merge->out, group, line, line_length);
	entry_add_string(&merge->out, ":x:");
	entry_add_number(&merge->out, group->gid);
	entry_add_string(&merge->out, ":");
	if (!members)
		length = 0;
	entry_add(&merge->out, length ? members : "", length);
	if (!entry_has_member(length ? members : "", length, merge->account->name)) {
		entry_add_string(&merge->out, length ? "," : "");
		entry_add_member(&merge->out, merge->account->name);
	}
	entry_add_string(&merge->out, "\n");
}

/* Write a group before its own line, if it has one further down: that line's members count. */
static void write_group_early(struct merge *merge, size_t index)
{
	const char *at = merge->old_text, *line;
	size_t length = 0;

	while ((line = entry_next_line(&at, &length)))
		if (find_by_name(merge, line, length) == index)
			break;
	write_group(merge, index, line, length);
}

/* Go on with one line of the old text: it becomes one of ours, goes, or stays. */
static void merge_line(struct merge *merge, const char *line, size_t length)
{
	const struct account *account = merge->account;
	size_t index = find_by_name(merge, line, length);

	if (index < account->group_count) {
		if (!merge->written[index])
			write_group(merge, index, line, length);
		return;
	}
	index = find_by_gid(merge, line, length);
	if (index < account->group_count && !merge->written[index]) {
		if (!account->groups[index].name) {
			write_group(merge, index, line, length);
			return;
		}
		/* Before any other name of the same gid: getgrgid takes the first. */
		write_group_early(merge, index);
	}
	entry_add(&merge->out, line, length);
	entry_add_string(&merge->out, "\n");
}

char *group_merge(const char *old_text, const struct account *account, const struct id_map *gid_map,
		  struct failure *why)
{
	_cleanup_free_ bool *written = calloc(account->group_count + 1, sizeof(*written));
	struct merge merge = {account, gid_map, old_text, written, {0}};
	const char *at = old_text, *line;
	size_t length;

	if (!entry_text_fits(old_text, "container's group", why))
		return NULL;
	if (!written) {
		(void)fail(why, FAILURE_SYSTEM, ENOMEM, "cannot make the container's group file");
		return NULL;
	}
	while ((line = entry_next_line(&at, &length)))
		merge_line(&merge, line, length);
	for (size_t i = 0; i < account->group_count; i++)
		if (is_shown(&merge, i) && !written[i])
			write_group(&merge, i, NULL, 0);
	return entry_finish(&merge.out, "container's group", why);
}
