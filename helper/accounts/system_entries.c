/* helper/accounts/system_entries.c - the accounts of the system, without its people, purely. */
#include "helper/accounts/accounts.h"
#include "helper/accounts/entry_lines.h"

#define FIRST_PERSON 1000u /* UID_MIN of login.defs(5) as distributions set it */
#define NOBODY       65534u

static bool is_systems(const char *line, size_t length)
{
	unsigned id;

	return entry_field_number(line, length, 2, &id) && (id < FIRST_PERSON || id == NOBODY);
}

/* The line with "x" for whatever stood in the password field, and `last` fields after it. */
static void add_without_password(struct entry_text *out, const char *line, size_t length,
				 unsigned last)
{
	for (unsigned index = 0; index <= last; index++) {
		size_t field_length;
		const char *field = entry_field(line, length, index, &field_length);

		if (index)
			entry_add_string(out, ":");
		if (index == 1)
			entry_add_string(out, "x");
		else if (field)
			entry_add(out, field, field_length);
	}
}

char *passwd_system_entries(const char *text, struct failure *why)
{
	struct entry_text out = {0};
	const char *line;
	size_t length;

	if (!entry_text_fits(text, "host's passwd", why))
		return NULL;
	while ((line = entry_next_line(&text, &length))) {
		if (!is_systems(line, length))
			continue;
		add_without_password(&out, line, length, 6);
		entry_add_string(&out, "\n");
	}
	return entry_finish(&out, "host's passwd", why);
}

char *group_system_entries(const char *text, struct failure *why)
{
	struct entry_text out = {0};
	const char *line;
	size_t length;

	if (!entry_text_fits(text, "host's group", why))
		return NULL;
	while ((line = entry_next_line(&text, &length))) {
		if (!is_systems(line, length))
			continue;
		add_without_password(&out, line, length, 2);
		entry_add_string(&out, ":\n"); /* who is in a group is the host's business */
	}
	return entry_finish(&out, "host's group", why);
}
