/* helper/admin/context.c - open what the commands look at, going on with what is still sound. */
#include "helper/admin/context.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/files.h"
#include "base/paths.h"
#include "helper/admin/admin.h"

void cleanup_config(struct config **config)
{
	if (*config)
		config_free(*config);
}

struct config *load_policies(const char *directory, struct config **rest, struct failure *why)
{
	const char *path = directory ? directory : CARREL_ETC;
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (rest)
		*rest = NULL;
	if (dir < 0) {
		(void)fail(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			   "cannot open the policy directory %s", path);
		return NULL;
	}
	return config_load(dir, rest, why);
}

bool context_open(struct context *context, struct failure *why)
{
	struct config *rest = NULL;

	*context = (struct context){
	    .registry = {-1, -1, -1, -1, -1},
	};
	context->config = load_policies(NULL, &rest, &context->policy_trouble);
	if (!context->config) {
		*why = context->policy_trouble;
		context->config = take_ptr(rest);
		if (!context->config)
			return false;
		(void)complain("going on without the policies: %s", why->text);
	}
	if (!registry_open(context->config->state_dir, &context->registry, why)) {
		config_free(take_ptr(context->config));
		return false;
	}
	context->has_layout = cgroup_layout_find(context->config->cgroup_parent, -1,
						 &context->layout, &context->layout_trouble);
	return true;
}

void context_close(struct context *context)
{
	if (!context->config)
		return; /* never opened */
	if (context->has_layout)
		cgroup_layout_close(&context->layout);
	registry_close(&context->registry);
	config_free(take_ptr(context->config));
}

const struct policy *policy_by_name(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->policy_count; i++)
		if (strcmp(config->policies[i].name, name) == 0)
			return &config->policies[i];
	return NULL;
}

const struct limits *limits_of_policy(const struct config *config, const char *policy)
{
	const struct policy *found = policy_by_name(config, policy);

	return found ? &found->limits : NULL;
}
