/* helper/accounts/passwd_merge.c - bring one account into the text of a passwd file, purely. */
#include <string.h>

#include "helper/accounts/accounts.h"
#include "helper/accounts/entry_lines.h"

static void add_entry(struct entry_text *out, const struct account *account, const char *home,
		      const char *shell)
{
	entry_add_field(out, account->name);
	entry_add_string(out, ":x:"); /* no password hash ever enters a container */
	entry_add_number(out, account->uid);
	entry_add_string(out, ":");
	entry_add_number(out, account->gid);
	entry_add_string(out, ":");
	entry_add_field(out, account->gecos ? account->gecos : "");
	entry_add_string(out, ":");
	entry_add_field(out, home ? home : account->home);
	entry_add_string(out, ":");
	entry_add_field(out, shell ? shell : account->shell);
	entry_add_string(out, "\n");
}

char *passwd_merge(const char *old_text, const struct account *account, const char *home,
		   const char *shell, struct failure *why)
{
	struct entry_text out = {0};
	const char *at = old_text, *line;
	bool added = false;
	size_t length;

	if (!entry_text_fits(old_text, "container's passwd", why))
		return NULL;
	while ((line = entry_next_line(&at, &length))) {
		unsigned uid;
		bool same_name =
		    memchr(line, ':', length) && entry_field_is(line, length, 0, account->name);
		bool same_uid = entry_field_number(line, length, 2, &uid) && uid == account->uid;

		/* Before any other name of the same uid: getpwuid takes the first. */
		if ((same_name || same_uid) && !added) {
			add_entry(&out, account, home, shell);
			added = true;
		}
		if (same_name)
			continue;
		entry_add(&out, line, length);
		entry_add_string(&out, "\n");
	}
	if (!added)
		add_entry(&out, account, home, shell);
	return entry_finish(&out, "container's passwd", why);
}
