/* helper/admin/quota_stopped.c - bring the data of a stopped container to today's limits. */
#include "helper/admin/quota_stopped.h"

#include <stdio.h>
#include <string.h>

#include "helper/admin/subject.h"
#include "helper/admin/table.h"
#include "helper/storage/storage.h"
#include "helper/storage/usage.h"

/* By today's files the next login decides, and may be refused by a policy it never had before. */
static const struct policy *policy_of(const struct config *config,
				      const struct stored_record *stored, struct failure *why)
{
	const struct policy *policy = NULL;
	struct subject_names names;
	struct selection selection;

	if (!subject_names_load(stored->user, "sshd", &names, why))
		return NULL;
	(void)config_select(config, &names.subject, &selection);
	if (selection.policy && selection.policy->action == POLICY_CONTAIN)
		policy = selection.policy;
	subject_names_free(&names);
	if (!policy)
		(void)fail(why, FAILURE_POLICY, 0,
			   "it does not run, and no policy contains its user '%s' any more",
			   stored->user);
	return policy;
}

static void tell(const struct stored_record *before, const struct storage_usage *had,
		 const struct stored_record *after, const struct storage_usage *has, char *changes,
		 size_t size)
{
	char old[24], new[24];

	changes[0] = '\0';
	if (strcmp(before->storage, after->storage) != 0) {
		(void)snprintf(changes, size, "storage %s -> %s", before->storage, after->storage);
		return;
	}
	if (had->disk_limit_bytes == has->disk_limit_bytes)
		return;
	format_bytes(had->disk_limit_bytes, old);
	format_bytes(has->disk_limit_bytes, new);
	(void)snprintf(changes, size, "disk %s -> %s",
		       had->disk_limit_bytes == UINT64_MAX ? "unlimited" : old,
		       has->disk_limit_bytes == UINT64_MAX ? "unlimited" : new);
}

static bool read_state(const struct context *context, const char *name,
		       struct stored_record *stored, struct storage_usage *usage,
		       struct failure *why)
{
	return registry_stored(&context->registry, name, stored, why) &&
	       (stored->version == 0 ||
		storage_usage_stored(&context->registry, name, context->config, stored, false,
				     usage, why));
}

bool quota_apply_stopped(const struct context *context, const char *name, char *changes,
			 size_t size, struct failure *why)
{
	struct stored_record before, after;
	struct storage_usage had, has;
	const struct policy *policy;

	storage_usage_clear(&had);
	storage_usage_clear(&has);
	if (!read_state(context, name, &before, &had, why))
		return false;
	if (before.version == 0)
		return fail(why, FAILURE_MISSING, 0, "there is no container of that name");
	policy = policy_of(context->config, &before, why);
	if (!policy || !storage_settle(&context->registry, name, context->config, policy, why) ||
	    !read_state(context, name, &after, &has, why))
		return false;
	tell(&before, &had, &after, &has, changes, size);
	return true;
}
