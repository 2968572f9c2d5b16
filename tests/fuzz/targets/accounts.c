/* targets/accounts.c - passwd and group of a container, which its root may have written. */
/* Sources: helper/accounts/passwd_merge.c helper/accounts/group_merge.c
 * helper/accounts/system_entries.c helper/accounts/entry_lines.c helper/accounts/id_map.c
 * base/failure.c
 */
#include <grp.h>
#include <pwd.h>

#include "helper/accounts/accounts.h"
#include "tests/fuzz/targets/fuzz.h"

static const struct account *sample(void)
{
	static struct account_group groups[] = {
	    {1001, (char *)"alice"}, {2000, NULL}, {27, NULL}, {3000, (char *)"lab,x:y"}};
	static const struct account account = {
	    .name = (char *)"alice",
	    .uid = 1001,
	    .gid = 1001,
	    .home = (char *)"/home/alice",
	    .shell = (char *)"/bin/bash",
	    .gecos = (char *)"Alice\nroot::0:0::/:",
	    .groups = groups,
	    .group_count = 4,
	};

	return &account;
}

static size_t count_lines(const char *text, const char *head)
{
	size_t count = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		count += strncmp(line, head, strlen(head)) == 0;
	}
	return count;
}

/* fgetpwent shows lines of nsswitch's "compat" as well, which are no entries to getpwnam. */
static bool is_compat(const char *name)
{
	return name[0] == '+' || name[0] == '-';
}

/* By the eyes of the C library, which reads it inside. */
static void check_passwd(char *text)
{
	FILE *stream = fmemopen(text, strlen(text), "r");
	struct passwd *entry;
	bool by_name = false, by_uid = false;

	MUST(stream && count_lines(text, "alice:") == 1);
	while ((entry = fgetpwent(stream))) {
		if (is_compat(entry->pw_name))
			continue;
		if (strcmp(entry->pw_name, "alice") == 0 && !by_name) {
			MUST(entry->pw_uid == 1001 && entry->pw_gid == 1001);
			MUST(strcmp(entry->pw_dir, "/home/alice") == 0);
			by_name = true;
		}
		if (entry->pw_uid == 1001 && !by_uid) {
			MUST(strcmp(entry->pw_name, "alice") == 0);
			by_uid = true;
		}
	}
	MUST(by_name && by_uid);
	(void)fclose(stream);
}

static void check_group(char *text)
{
	FILE *stream = fmemopen(text, strlen(text), "r");
	struct group *entry;
	bool by_name = false, by_gid = false, member = false;

	MUST(stream && count_lines(text, "alice:") == 1);
	while ((entry = fgetgrent(stream))) {
		if (is_compat(entry->gr_name))
			continue;
		if (strcmp(entry->gr_name, "alice") == 0 && !by_name) {
			MUST(entry->gr_gid == 1001);
			by_name = true;
		}
		if (entry->gr_gid == 1001 && !by_gid) {
			MUST(strcmp(entry->gr_name, "alice") == 0);
			by_gid = true;
		}
		for (char **name = entry->gr_mem; entry->gr_gid == 2000 && *name; name++)
			member |= strcmp(*name, "alice") == 0;
	}
	MUST(by_name && by_gid && member);
	(void)fclose(stream);
}

/* The second time there is nothing to change. */
static void merge(const char *old)
{
	const struct account *account = sample();
	uint32_t keep[] = {1001, 2000, 27, 3000};
	struct failure why = {0};
	struct id_map map;
	size_t dropped;
	char *text, *again;

	MUST(id_map_plan(524288, keep, 4, &map, &dropped, &why));
	text = passwd_merge(old, account, NULL, NULL, &why);
	MUST(text);
	check_passwd(text);
	again = passwd_merge(text, account, NULL, NULL, &why);
	MUST(again && strcmp(again, text) == 0);
	free(again);
	free(text);

	text = group_merge(old, account, &map, &why);
	MUST(text);
	check_group(text);
	again = group_merge(text, account, &map, &why);
	MUST(again && strcmp(again, text) == 0);
	free(again);
	free(text);
}

static void system_entries(const char *text)
{
	struct failure why;
	char *passwd = passwd_system_entries(text, &why), *group = group_system_entries(text, &why);

	MUST(passwd && group);
	for (const char *line = passwd; *line; line = strchr(line, '\n') + 1) {
		const char *colon = strchr(line, ':');

		MUST(colon && strncmp(colon, ":x:", 3) == 0 && strchr(line, '\n'));
	}
	for (const char *line = group; *line; line = strchr(line, '\n') + 1)
		MUST(strchr(line, '\n') && strchr(line, '\n')[-1] == ':');
	free(passwd);
	free(group);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	merge(text);
	system_entries(text);
	free(text);
	return 0;
}
