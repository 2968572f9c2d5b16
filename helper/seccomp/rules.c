/* helper/seccomp/rules.c - the table and a policy's changes to it, as one answer a number. */
#include "helper/seccomp/rules.h"

#include <string.h>

#include "helper/seccomp/names.h"

/* The names in argument_rules live as long as the program; those in the groups do not end. */
static const char *checked_name(const char *name)
{
	for (size_t i = 0; i < argument_rule_count; i++)
		if (strcmp(argument_rules[i].call, name) == 0)
			return argument_rules[i].call;
	return NULL;
}

static bool set_table_answer(const struct call_group *group, const char *name,
			     struct call calls[CALL_NUMBERS], struct failure *why)
{
	int number;

	/* A name that an old libseccomp lacks stays ABSENT, as on an old kernel. */
	if (!call_number(name, &number) || number == CALL_NOT_HERE)
		return true;
	if (number >= CALL_NUMBERS)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "the system call %s has the number %d here, beyond the table", name,
			    number);
	calls[number].answer = group->answer;
	if (group->answer == CALL_CHECK)
		calls[number].checked_as = checked_name(name);
	return true;
}

static bool set_table_answers(struct call calls[CALL_NUMBERS], struct failure *why)
{
	for (size_t i = 0; i < call_group_count; i++) {
		const char *position = call_groups[i].calls;
		const char *call;
		size_t length;

		while (call_group_next(&position, &call, &length)) {
			char name[64];

			if (length >= sizeof(name))
				return fail(why, FAILURE_SYSTEM, 0,
					    "the table has an impossible system call: %.80s", call);
			memcpy(name, call, length);
			name[length] = '\0';
			if (!set_table_answer(&call_groups[i], name, calls, why))
				return false;
		}
	}
	return true;
}

static bool list_has(const struct string_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], name) == 0)
			return true;
	return false;
}

static bool set_policy_answers(const struct string_list *names, enum call_answer answer,
			       struct call calls[CALL_NUMBERS], struct failure *why)
{
	const char *verb = answer == CALL_ALLOW ? "allow" : "deny";

	for (size_t i = 0; i < names->count; i++) {
		const struct call_group *group = call_group_find(names->items[i]);
		int number;

		if (!call_number_checked(names->items[i], &number, why))
			return false;
		if (group && group->fixed)
			return fail(why, FAILURE_POLICY, 0,
				    "a policy cannot %s the system call '%s': %s", verb,
				    names->items[i], group->reason);
		if (number >= CALL_NUMBERS)
			return fail(why, FAILURE_UNSUPPORTED, 0,
				    "cannot %s '%s': its number %d is beyond the table", verb,
				    names->items[i], number);
		if (number != CALL_NOT_HERE)
			calls[number] = (struct call){.answer = answer};
	}
	return true;
}

bool rules_resolve(const struct seccomp_rules *rules, struct call calls[CALL_NUMBERS],
		   struct failure *why)
{
	memset(calls, 0, CALL_NUMBERS * sizeof(calls[0]));

	for (size_t i = 0; i < rules->allow->count; i++)
		if (list_has(rules->deny, rules->allow->items[i]))
			return fail(why, FAILURE_POLICY, 0,
				    "the policy both allows and denies the system call '%s'",
				    rules->allow->items[i]);

	return set_table_answers(calls, why) &&
	       set_policy_answers(rules->allow, CALL_ALLOW, calls, why) &&
	       set_policy_answers(rules->deny, CALL_REFUSE, calls, why);
}
