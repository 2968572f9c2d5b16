/* helper/admin/select.c - which containers a command was told to work on. */
#include "helper/admin/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/container/container.h"

bool selector_is_sound(const struct selector *selector, size_t operands)
{
	return (operands > 0) + selector->all + (selector->group != NULL) +
		   (selector->policy != NULL) ==
	       1;
}

/* What the records say of a container, of the present when it runs. */
struct facts {
	bool exists, runs;
	char user[257], policy[65];
};

static bool load_facts(const struct context *context, const char *name, struct facts *facts,
		       struct failure *why)
{
	struct stored_record stored = {0};
	struct running_record running;
	_cleanup_close_ int init = -1;

	*facts = (struct facts){0};
	if (!name_is_valid(name))
		return true;
	if (!registry_running(&context->registry, name, &running, &init, why) ||
	    (init < 0 && !registry_stored(&context->registry, name, &stored, why)))
		return false;
	facts->runs = init >= 0;
	facts->exists = facts->runs || stored.version > 0;
	memcpy(facts->user, facts->runs ? running.user : stored.user, sizeof(facts->user));
	memcpy(facts->policy, facts->runs ? running.policy : stored.policy, sizeof(facts->policy));
	return true;
}

/* A name is a container's; else a user's, whom the policies give one. */
static bool add_named(const struct context *context, const char *name, struct name_set *set)
{
	struct person person = {0};
	struct failure why;
	struct facts facts;

	if (!load_facts(context, name, &facts, &why)) {
		(void)complain("%s: %s", name, why.text);
		return false;
	}
	if (!facts.exists && context->policy_trouble.kind == FAILURE_NONE &&
	    person_find(context->config, name, &person, &why) && person.policy &&
	    !load_facts(context, person.container, &facts, &why))
		facts.exists = false;
	free(person.user);
	if (!facts.exists)
		(void)complain("%s: there is no container of that name", name);
	else if (!name_set_add(set, *person.container ? person.container : name))
		(void)complain("out of memory");
	else
		return true;
	return false;
}

static int select_named(const struct context *context, const struct operands *names,
			struct name_set *set)
{
	bool all_there = true;

	for (size_t i = 0; i < names->count; i++)
		all_there = add_named(context, names->items[i], set) && all_there;
	if (all_there)
		return STATUS_GO_ON;
	name_set_free(set);
	return STATUS_FAILED;
}

/* Whom and what a group or policy means, looked up once. */
struct sieve {
	const struct selector *selector;
	struct name_set members, containers;
};

static bool fill_sieve(const struct context *context, struct sieve *sieve, struct failure *why)
{
	if (!sieve->selector->group)
		return true;
	if (!group_people(sieve->selector->group, &sieve->members, why))
		return false;
	for (size_t i = 0; i < sieve->members.count; i++) {
		struct person person = {0};
		struct failure ignored;
		bool added = true;

		if (person_find(context->config, sieve->members.items[i], &person, &ignored) &&
		    person.policy)
			added = name_set_add(&sieve->containers, person.container);
		free(person.user);
		if (!added)
			return fail(why, FAILURE_SYSTEM, 0, "out of memory");
	}
	name_set_sort(&sieve->containers);
	return true;
}

/* A container that several share belongs to the group only when the policies send it there. */
static bool is_one_members(const struct context *context, const struct sieve *sieve,
			   const struct facts *facts)
{
	const struct policy *policy = policy_by_name(context->config, facts->policy);

	return (!policy || !policy_is_shared(policy)) && name_set_has(&sieve->members, facts->user);
}

static bool passes(const struct context *context, const struct sieve *sieve, const char *name,
		   enum select_which which, struct failure *why)
{
	const struct selector *selector = sieve->selector;
	struct facts facts;

	*why = (struct failure){0};
	if (!load_facts(context, name, &facts, why))
		return false;
	if (!facts.exists || (which == SELECT_RUNNING && !facts.runs))
		return false;
	if (selector->policy)
		return strcmp(facts.policy, selector->policy) == 0;
	return selector->all || name_set_has(&sieve->containers, name) ||
	       is_one_members(context, sieve, &facts);
}

static int select_sieved(const struct context *context, const struct sieve *sieve,
			 enum select_which which, struct name_set *set)
{
	struct name_set all = {0};
	struct failure why;
	int status = STATUS_GO_ON;

	if (!registry_names(&context->registry, &all.items, &all.count, &why))
		return complain("%s", why.text);
	for (size_t i = 0; i < all.count && status == STATUS_GO_ON; i++) {
		if (passes(context, sieve, all.items[i], which, &why)) {
			if (!name_set_add(set, all.items[i]))
				status = complain("out of memory");
		} else if (why.kind != FAILURE_NONE) {
			/* Its records cannot be read: whether it is meant is not known. */
			(void)complain("%s: left out: %s", all.items[i], why.text);
		}
	}
	name_set_free(&all);
	return status;
}

int select_containers(const struct context *context, const struct selector *selector,
		      const struct operands *names, enum select_which which, struct name_set *set)
{
	struct sieve sieve = {.selector = selector};
	struct failure why;
	int status;

	*set = (struct name_set){0};
	if (names->count > 0)
		status = select_named(context, names, set);
	else if (!fill_sieve(context, &sieve, &why))
		status = complain("%s", why.text);
	else
		status = select_sieved(context, &sieve, which, set);
	name_set_free(&sieve.members);
	name_set_free(&sieve.containers);
	name_set_sort(set);
	if (status == STATUS_GO_ON && set->count == 0 && selector->policy &&
	    !policy_by_name(context->config, selector->policy))
		return complain("there is no policy '%s', nor a container of one",
				selector->policy);
	return status;
}

void select_tell_none(const struct selector *selector, enum select_which which)
{
	const char *end = which == SELECT_RUNNING ? " is running" : "";

	if (selector->group)
		(void)printf("no container of group %s%s\n", selector->group, end);
	else if (selector->policy)
		(void)printf("no container of policy %s%s\n", selector->policy, end);
	else
		(void)printf("no container%s\n", *end ? end : " exists");
}
