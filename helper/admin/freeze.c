/* helper/admin/freeze.c - `carrel freeze`, `carrel thaw`: hold what runs in containers, and let it
 * go on. */
#include "helper/admin/freeze.h"

#include <stdio.h>

#include "helper/admin/commands.h"
#include "helper/admin/framing.h"

#define LOCK_PATIENCE_MS 5000

static bool open_cgroup(const struct context *context, const char *name,
			const struct running_record *record, struct cgroup *cgroup,
			struct failure *why)
{
	if (!context->has_layout) {
		*why = context->layout_trouble;
		return false;
	}
	return cgroup_open(&context->layout, name, *record->pool ? record->pool : NULL, cgroup,
			   why);
}

/*
 * The mark stands before anything is held and goes when nothing is any more: killed in between, the
 * container is marked, and a thaw sets that right.
 */
static bool freeze(const struct context *context, const char *name,
		   const struct running_record *record, struct failure *why)
{
	struct cgroup cgroup;
	bool held;

	if (!open_cgroup(context, name, record, &cgroup, why))
		return false;
	held = registry_mark_frozen(&context->registry, name, true, why) &&
	       cgroup_freeze(&context->layout, &cgroup, why);
	if (!held) {
		struct failure ignored;

		(void)registry_mark_frozen(&context->registry, name, false, &ignored);
	}
	cgroup_close(&cgroup);
	return held;
}

static bool thaw(const struct context *context, const char *name,
		 const struct running_record *record, struct failure *why)
{
	struct cgroup cgroup;
	bool thawed;

	if (!open_cgroup(context, name, record, &cgroup, why))
		return false;
	thawed = cgroup_thaw(&context->layout, &cgroup, why);
	cgroup_close(&cgroup);
	return thawed && registry_mark_frozen(&context->registry, name, false, why);
}

bool container_let_go(const struct context *context, const char *name,
		      const struct running_record *record, struct failure *why)
{
	return !registry_is_frozen(&context->registry, name) || thaw(context, name, record, why);
}

/* One container, under its lock, so that no login is half-way in meanwhile. */
static bool change(const struct context *context, const char *name, bool to_frozen,
		   struct failure *why)
{
	_cleanup_close_ int lock = -1;
	_cleanup_close_ int init = -1;
	struct running_record record;

	if (!registry_running(&context->registry, name, &record, &init, why))
		return false;
	if (init < 0)
		return fail(why, FAILURE_MISSING, 0, "is not running");
	cleanup_close(&init);
	init = -1;
	lock = registry_lock(&context->registry, name, LOCK_PATIENCE_MS, why);
	if (lock < 0 || !registry_running(&context->registry, name, &record, &init, why))
		return false;
	if (init < 0)
		return fail(why, FAILURE_MISSING, 0, "is not running");
	if (registry_is_frozen(&context->registry, name) != to_frozen) {
		if (to_frozen ? !freeze(context, name, &record, why)
			      : !thaw(context, name, &record, why))
			return false;
		admin_event(name, record.user, to_frozen ? "freeze" : "thaw");
		(void)printf("%s: %s\n", name, to_frozen ? "frozen" : "goes on");
	} else if (to_frozen) {
		(void)printf("%s: is frozen already\n", name);
	} else {
		/* Also one whose mark was lost with a command that was killed. */
		if (!thaw(context, name, &record, why))
			return false;
		(void)printf("%s: was not frozen\n", name);
	}
	return true;
}

static int change_all(const struct context *context, const struct name_set *set, void *data)
{
	const bool *to_frozen = data;
	struct failure why;
	int status = STATUS_OK;

	for (size_t i = 0; i < set->count; i++)
		if (!change(context, set->items[i], *to_frozen, &why))
			status = complain("%s: %s", set->items[i], why.text);
	return status;
}

static int run(const struct command *command, int argc, char **argv, bool to_frozen)
{
	struct selector selector = {0};
	const struct option_spec specs[] = {
	    SELECT_GROUP(&selector),
	    SELECT_POLICY(&selector),
	    SELECT_ALL(&selector),
	};
	const struct syntax syntax = {specs, ARRAY_LENGTH(specs), 0, OPERANDS_ANY};
	struct operands names;
	int status = selection_parse(command, argc, argv, &syntax, &selector, &names);

	if (status != STATUS_GO_ON)
		return status;
	return selection_work_on(&selector, &names, SELECT_RUNNING, change_all, &to_frozen);
}

int run_freeze(const struct command *command, int argc, char **argv)
{
	return run(command, argc, argv, true);
}

int run_thaw(const struct command *command, int argc, char **argv)
{
	return run(command, argc, argv, false);
}
