/* policy/image_format.c - what an image is made of: the pointers in its structs, and its sums. */
#include "policy/image_format.h"

#include <string.h>

#include "base/cleanup.h"

#define TEXT(type, name)                                                                           \
	{                                                                                          \
		offsetof(struct type, name), false                                                 \
	}
#define LIST(type, name)                                                                           \
	{                                                                                          \
		offsetof(struct type, name), true                                                  \
	}

static const struct member of_policy[] = {
    TEXT(policy, name),        TEXT(policy, where.file),    TEXT(policy, deny_text),
    TEXT(policy, image),       TEXT(policy, hostname),      TEXT(policy, container_name),
    TEXT(policy, pool),        TEXT(policy, hours_text),    TEXT(policy, welcome),
    LIST(policy, users),       LIST(policy, groups),        LIST(policy, services),
    LIST(policy, environment), LIST(policy, seccomp_allow), LIST(policy, seccomp_deny),
};
static const struct member of_bind[] = {TEXT(bind_mount, source), TEXT(bind_mount, target)};
static const struct member of_pool[] = {TEXT(pool, name), TEXT(pool, where.file),
					LIST(pool, groups), LIST(pool, policies)};
static const struct member of_config[] = {
    TEXT(config, state_dir),    TEXT(config, cgroup_parent), TEXT(config, unmatched_text),
    LIST(config, exempt_users), LIST(config, exempt_groups),
};

const struct members members_of_policy = {of_policy, ARRAY_LENGTH(of_policy)};
const struct members members_of_bind = {of_bind, ARRAY_LENGTH(of_bind)};
const struct members members_of_pool = {of_pool, ARRAY_LENGTH(of_pool)};
const struct members members_of_config = {of_config, ARRAY_LENGTH(of_config)};

uint64_t image_sum(const void *bytes, size_t length)
{
	uint64_t sum = length, word;

	for (const char *at = bytes; length >= sizeof(word); length -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 32;
		at += sizeof(word);
	}
	return sum;
}

bool image_part_fits(const struct part *part, size_t length)
{
	return part->at % IMAGE_ALIGNMENT == 0 && part->length % IMAGE_ALIGNMENT == 0 &&
	       part->at <= length && part->length <= length - part->at;
}
