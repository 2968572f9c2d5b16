/* policy/build.h - make a config piece by piece while the files are read. */
#ifndef CARREL_POLICY_BUILD_H
#define CARREL_POLICY_BUILD_H

#include "policy/policy.h"

/* A config with every default and no policies. NULL with *why. */
struct config *config_new(struct failure *why);

/*
 * Leave what carrel.conf says of the machine and of who is exempt. Nobody else is let in without
 * policies: unmatched becomes deny.
 */
void config_drop_policies(struct config *config);

/*
 * Append a policy, pool or bind with every default, owned by what it is appended to. The pointer
 * is good until the next one is appended. NULL with *why.
 */
struct policy *config_add_policy(struct config *config, struct failure *why);
struct pool *config_add_pool(struct config *config, struct failure *why);
struct bind_mount *policy_add_bind(struct policy *policy, struct failure *why);

/* Note a file that is read; its name lives as long as the config. NULL with *why. */
const char *config_add_file(struct config *config, const char *name, struct failure *why);

/* Append a copy of the text. */
bool string_list_add(struct string_list *list, const char *text, struct failure *why);

/* Put a copy of the text in place of what the field holds. */
bool string_set(char **field, const char *text, struct failure *why);

/* Release the items, not the list itself. */
void string_list_free(struct string_list *list);

bool string_list_contains(const struct string_list *list, const char *text);

#endif
