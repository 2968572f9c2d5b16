/* helper/accounts/group_merge.c - bring a user's groups into the text of a group file, purely. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "helper/accounts/accounts.h"
#include "helper/accounts/entry_lines.h"

#define ROOM_FOR_MORE 256 /* a line or two, as long as most logins add nothing */

/*
 * Finds the account's groups by what stands in a line: a table by name and one by gid, each of
 * indices that are one more than the group's, 0 where there is none. Who is in hundreds of groups
 * would else pay with the square of them at each login.
 */
struct tables {
	size_t mask;
	uint32_t *by_name, *by_gid;
};

struct merge {
	const struct account *account;
	const struct id_map *gid_map;
	const char *old_text;
	struct tables tables;
	bool *written; /* for each of the account's groups */
	struct entry_text out;
};

static bool is_shown(const struct merge *merge, size_t index)
{
	return id_map_contains(merge->gid_map, merge->account->groups[index].gid);
}

/* The slot of the group with this name, or the free one where it would be. */
static uint32_t *slot_of_name(const struct merge *merge, const char *name, size_t length)
{
	const struct tables *tables = &merge->tables;

	for (size_t at = entry_hash(name, length);; at++) {
		uint32_t *slot = &tables->by_name[at & tables->mask];

		if (!*slot || entry_is_value(name, length, merge->account->groups[*slot - 1].name))
			return slot;
	}
}

static uint32_t *slot_of_gid(const struct merge *merge, gid_t gid)
{
	const struct tables *tables = &merge->tables;

	for (size_t at = gid * 2654435761u >> 12;; at++) {
		uint32_t *slot = &tables->by_gid[at & tables->mask];

		if (!*slot || merge->account->groups[*slot - 1].gid == gid)
			return slot;
	}
}

/* The first of several counts. */
static void enter(uint32_t *slot, size_t index)
{
	if (!*slot)
		*slot = (uint32_t)index + 1;
}

/* No more than half full, so that every search ends at a free slot soon. */
static bool make_tables(struct merge *merge)
{
	const struct account *account = merge->account;
	size_t size = 4;

	while (size < 2 * account->group_count)
		size *= 2;
	merge->tables.mask = size - 1;
	merge->tables.by_name = calloc(2 * size, sizeof(uint32_t));
	if (!merge->tables.by_name)
		return false;
	merge->tables.by_gid = merge->tables.by_name + size;
	for (size_t i = 0; i < account->group_count; i++) {
		const char *name = account->groups[i].name;

		if (!is_shown(merge, i))
			continue;
		enter(slot_of_gid(merge, account->groups[i].gid), i);
		if (name)
			enter(slot_of_name(merge, name, strlen(name)), i);
	}
	return true;
}

static size_t index_in(const struct merge *merge, const uint32_t *slot)
{
	return *slot ? *slot - 1 : merge->account->group_count;
}

static size_t find_by_name(const struct merge *merge, const char *line, size_t length)
{
	size_t name_length;
	const char *name = entry_field(line, length, 0, &name_length);

	if (!name || !memchr(line, ':', length))
		return merge->account->group_count;
	return index_in(merge, slot_of_name(merge, name, name_length));
}

static size_t find_by_gid(const struct merge *merge, const char *line, size_t length)
{
	unsigned gid;

	if (!entry_field_number(line, length, 2, &gid))
		return merge->account->group_count;
	return index_in(merge, slot_of_gid(merge, gid));
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

/* Is the line what write_group would make of it? */
static bool is_as_written(const struct merge *merge, size_t index, const char *line, size_t length)
{
	const struct account_group *group = &merge->account->groups[index];
	const size_t name_length = strlen(group->name), before = name_length + strlen(":x:");
	char digits[ENTRY_DIGITS];
	const size_t digit_count = entry_digits(group->gid, digits);
	const size_t members = before + digit_count + 1;

	return length >= members && entry_is_value(line, name_length, group->name) &&
	       memcmp(line + name_length, ":x:", strlen(":x:")) == 0 &&
	       memcmp(line + before, digits, digit_count) == 0 && line[members - 1] == ':' &&
	       !memchr(line + members, ':', length - members) &&
	       entry_has_member(line + members, length - members, merge->account->name);
}

/* A line of the old text that stays. */
static void keep_line(struct merge *merge, const char *line, size_t length)
{
	const bool has_end = line[length] == '\n';

	entry_add(&merge->out, line, length + has_end);
	if (!has_end)
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
		if (!merge->written[index] && is_as_written(merge, index, line, length)) {
			merge->written[index] = true;
			keep_line(merge, line, length);
		} else if (!merge->written[index]) {
			write_group(merge, index, line, length);
		}
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
	keep_line(merge, line, length);
}

char *group_merge(const char *old_text, const struct account *account, const struct id_map *gid_map,
		  struct failure *why)
{
	_cleanup_free_ bool *written = calloc(account->group_count + 1, sizeof(*written));
	struct merge merge = {
	    .account = account, .gid_map = gid_map, .old_text = old_text, .written = written};
	_cleanup_free_ uint32_t *tables = NULL;
	const char *at = old_text, *line;
	size_t length;

	if (!entry_text_fits(old_text, "container's group", why))
		return NULL;
	if (written && make_tables(&merge))
		tables = merge.tables.by_name;
	if (!tables) {
		(void)fail(why, FAILURE_SYSTEM, ENOMEM, "cannot make the container's group file");
		return NULL;
	}
	entry_reserve(&merge.out, strlen(old_text) + ROOM_FOR_MORE);
	while ((line = entry_next_line(&at, &length)))
		merge_line(&merge, line, length);
	for (size_t i = 0; i < account->group_count; i++)
		if (is_shown(&merge, i) && !written[i])
			write_group(&merge, i, NULL, 0);
	return entry_finish(&merge.out, "container's group", why);
}
