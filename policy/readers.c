/* policy/readers.c - put one value from a file into its field, or say what it should have been. */
#include "policy/readers.h"

#include <string.h>

#include "policy/build.h"
#include "policy/limit_rules.h"
#include "policy/paths.h"
#include "policy/template.h"

/* What one message to a user, a variable and a name may take in a reply on the wire. */
#define LONGEST_PROSE    1024
#define LONGEST_ACCOUNT  256
#define LONGEST_VARIABLE 256
#define MOST_VARIABLES   32

static void *field_of(const struct key *key, void *into)
{
	return (char *)into + key->offset;
}

/* "host, nat or none" */
static void list_words(const char *const *words, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; words[i]; i++) {
		const char *glue = i == 0 ? "" : words[i + 1] ? ", " : " or ";
		int added = snprintf(out + used, size - used, "%s%s", glue, words[i]);

		if (added < 0 || (size_t)added >= size - used)
			return;
		used += (size_t)added;
	}
}

static bool find_word(const char *const *words, const char *text, unsigned *found,
		      struct failure *why)
{
	char known[128] = "";

	for (unsigned i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0) {
			*found = i;
			return true;
		}
	list_words(words, known, sizeof(known));
	return fail(why, FAILURE_POLICY, 0, "\"%.40s\" is not known here; write %s", text, known);
}

READER(read_word)
{
	(void)reader;
	return find_word(key->words, text, field_of(key, into), why);
}

READER(read_switch)
{
	static const char *const words[] = {"yes", "true", "on", "no", "false", "off", NULL};
	bool *field = field_of(key, into);
	unsigned found = 0;

	(void)reader;
	if (!find_word(words, text, &found, why))
		return false;
	*field = found < 3;
	return true;
}

READER(read_unmatched)
{
	static const char *const words[] = {"host", "deny", NULL};
	bool *field = field_of(key, into);
	unsigned found = 0;

	(void)reader;
	if (!find_word(words, text, &found, why))
		return false;
	*field = found == 1;
	return true;
}

READER(read_prose)
{
	(void)reader;
	if (strlen(text) > LONGEST_PROSE)
		return fail(why, FAILURE_POLICY, 0, "it is longer than %d bytes; shorten it",
			    LONGEST_PROSE);
	return string_set(field_of(key, into), text, why);
}

READER(read_account)
{
	(void)reader;
	if (*text == '\0' || strlen(text) > LONGEST_ACCOUNT)
		return fail(why, FAILURE_POLICY, 0, "a name has 1 to %d bytes", LONGEST_ACCOUNT);
	/* What other files take for groups or patterns would silently match nobody here. */
	if (strchr("@%!+", text[0]) || strpbrk(text, "*?:/"))
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" is not a plain name; list groups under groups, and leave "
			    "the key out to match everyone",
			    text);
	return string_list_add(field_of(key, into), text, why);
}

static bool check_name(const char *text, struct failure *why)
{
	if (name_is_valid(text))
		return true;
	return fail(why, FAILURE_POLICY, 0,
		    "\"%.80s\" is not a valid name; use 1 to 64 of a-z 0-9 _ . - and begin with "
		    "a letter or _",
		    text);
}

READER(read_name)
{
	(void)reader;
	return check_name(text, why) && string_set(field_of(key, into), text, why);
}

READER(read_name_item)
{
	(void)reader;
	return check_name(text, why) && string_list_add(field_of(key, into), text, why);
}

READER(read_name_template)
{
	(void)reader;
	return template_check(text, false, why) && string_set(field_of(key, into), text, why);
}

READER(read_host_template)
{
	(void)reader;
	return template_check(text, true, why) && string_set(field_of(key, into), text, why);
}

READER(read_state_dir)
{
	/* What does not outlive a restart, or anyone can write to. */
	static const char *const wrong[] = {"/proc", "/sys", "/dev", "/run", "/tmp"};

	(void)reader;
	if (!path_check(text, why))
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		if (strcmp(text, "/") == 0 || path_is_below(text, wrong[i]))
			return fail(why, FAILURE_POLICY, 0,
				    "\"%.80s\" does not keep containers; name a directory on a "
				    "local disk",
				    text);
	return string_set(field_of(key, into), text, why);
}

READER(read_target)
{
	(void)reader;
	return bind_target_check(text, why) && string_set(field_of(key, into), text, why);
}

READER(read_cgroup_parent)
{
	char absolute[256];

	(void)reader;
	if (text[0] == '/' || text[0] == '\0' || strlen(text) > sizeof(absolute) - 2)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" is not a place below the cgroup mounts; write it without a "
			    "\"/\" in front, as in \"carrel\"",
			    text);
	(void)snprintf(absolute, sizeof(absolute), "/%s", text);
	return path_check(absolute, why) && string_set(field_of(key, into), text, why);
}

READER(read_number)
{
	uint32_t *field = field_of(key, into);
	uint64_t number;
	char decimal[24];

	(void)reader;
	if (strncmp(text, "0x", 2) == 0 && text[2] != '\0' && strlen(text) <= 10 &&
	    text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] == '\0') {
		(void)snprintf(decimal, sizeof(decimal), "%lu", strtoul(text, NULL, 16));
		text = decimal;
	}
	if (!parse_count(text, key->low, key->high, &number, why))
		return false;
	*field = (uint32_t)number;
	return true;
}

READER(read_id_base)
{
	const uint32_t *field = field_of(key, into);

	if (!read_number(reader, key, text, into, why))
		return false;
	/* The blocks of systemd-nspawn, podman and others begin at such multiples too. */
	if (*field % 65536 != 0)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is not a multiple of 65536, as 0x80000000 is", text);
	return true;
}

READER(read_mask)
{
	mode_t *field = field_of(key, into);
	size_t length = strlen(text);

	(void)reader;
	if (length < 3 || length > 4 || text[strspn(text, "01234567")] != '\0' ||
	    strtoul(text, NULL, 8) > 0777)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is not a umask; write octal digits from \"000\" to "
			    "\"777\", as in \"027\"",
			    text);
	*field = (mode_t)strtoul(text, NULL, 8);
	return true;
}

READER(read_duration)
{
	const char *low_text = key->words[0], *high_text = key->words[1];
	bool never_is_fine = key->words[2] != NULL;
	uint64_t *field = field_of(key, into);
	uint64_t low, high, seconds;

	(void)reader;
	if (!parse_duration(low_text, &low, why) || !parse_duration(high_text, &high, why) ||
	    !parse_duration(text, &seconds, why))
		return false;
	if (seconds == TIME_NEVER ? !never_is_fine : seconds < low || seconds > high)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.40s\" is out of range; it must be from %s to %s%s", text, low_text,
			    high_text, never_is_fine ? ", or \"never\"" : "");
	*field = seconds;
	return true;
}

READER(read_hours)
{
	struct policy *policy = into;

	(void)reader;
	return hours_parse(text, &policy->time.hours, why) &&
	       string_set(field_of(key, into), text, why);
}

/* The length of the NAME in NAME=value; 0 when it is none. */
static size_t variable_length(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	size_t length = 0;

	while (text[length] && (strchr(letters, text[length]) ||
				(length > 0 && strchr("0123456789", text[length]))))
		length++;
	return text[length] == '=' ? length : 0;
}

/* Names that the dynamic linker obeys, and those by which Carrel says where the user is. */
static bool is_reserved_variable(const char *text, size_t length)
{
	static const char *const ours[] = {"container", "CARREL"};

	if (strncmp(text, "LD_", 3) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
		if (length == strlen(ours[i]) && memcmp(text, ours[i], length) == 0)
			return true;
	return false;
}

READER(read_environment)
{
	struct string_list *list = field_of(key, into);
	size_t length = variable_length(text);

	(void)reader;
	if (length == 0 || strlen(text) > LONGEST_VARIABLE)
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" is not NAME=value of letters, digits and _ in the name and "
			    "at most %d bytes",
			    text, LONGEST_VARIABLE);
	if (is_reserved_variable(text, length))
		return fail(why, FAILURE_POLICY, 0, "%.*s cannot be set by a policy; remove it",
			    (int)length, text);
	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i], text, length + 1) == 0)
			return fail(why, FAILURE_POLICY, 0, "%.*s is set twice; keep one",
				    (int)length, text);
	if (list->count == MOST_VARIABLES)
		return fail(why, FAILURE_POLICY, 0, "there are more than %d variables",
			    MOST_VARIABLES);
	return string_list_add(list, text, why);
}

READER(read_system_call)
{
	(void)reader;
	/* Whether there is such a call is the kernel's affair, and judged where seccomp is. */
	if (*text == '\0' || strlen(text) > 64 ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" is not the name of a system call, as in \"ptrace\"", text);
	return string_list_add(field_of(key, into), text, why);
}

READER(read_policy_limit)
{
	struct policy *policy = into;
	enum limit_id id = (enum limit_id)key->low;

	policy->limit_line[id] = reader->line;
	return limit_parse(id, text, &policy->limits.value[id], why);
}

READER(read_pool_limit)
{
	struct pool *pool = into;
	enum limit_id id = (enum limit_id)key->low;

	(void)reader;
	return limit_parse(id, text, &pool->limits.value[id], why);
}
