/* helper/admin/context.h - what most commands look at: the policy files, the registry, the cgroups.
 */
#ifndef CARREL_HELPER_ADMIN_CONTEXT_H
#define CARREL_HELPER_ADMIN_CONTEXT_H

#include <stdbool.h>

#include "base/failure.h"
#include "helper/limits/limits.h"
#include "helper/registry/registry.h"
#include "policy/policy.h"

struct context {
	struct config *config; /* only carrel.conf's part when policy_trouble is set */
	struct registry registry;
	struct cgroup_layout layout;
	bool has_layout;
	struct failure policy_trouble; /* kind FAILURE_NONE when the policy files are sound */
	struct failure layout_trouble;
};

/*
 * Load /etc/carrel and open the registry. A broken policy or a machine without cgroups does not
 * stop the commands that look at containers or stop them: what failed is kept in *_trouble. False
 * with *why when carrel.conf itself is broken or the registry cannot be opened.
 */
bool context_open(struct context *context, struct failure *why);
void context_close(struct context *context);
#define _cleanup_context_ __attribute__((cleanup(context_close)))

/*
 * Load the policy files of /etc/carrel, or of `directory` when it is not NULL. On a broken policy
 * NULL with *why, and, when `rest` is not NULL, in *rest what carrel.conf says, or NULL when that
 * is broken.
 */
struct config *load_policies(const char *directory, struct config **rest, struct failure *why);

void cleanup_config(struct config **config);
#define _cleanup_config_ __attribute__((cleanup(cleanup_config)))

/* NULL when there is no policy of that name. */
const struct policy *policy_by_name(const struct config *config, const char *name);

/*
 * The limits that a container of that policy gets by the files of today, NULL when the policy is
 * gone.
 */
const struct limits *limits_of_policy(const struct config *config, const char *policy);

#endif
