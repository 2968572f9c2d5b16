/* policy/image_format.h - what an image is made of, for those who pack and unpack it. */
#ifndef CARREL_POLICY_IMAGE_FORMAT_H
#define CARREL_POLICY_IMAGE_FORMAT_H

#include "policy/policy.h"

#define IMAGE_MAGIC     0x32474d4943525243u /* "CRRCIMG2" in memory order */
#define IMAGE_ALIGNMENT 8

/*
 * An image is its head, and parts at multiples of 8: the config, each of its policies, an entry for
 * each policy, and the hashes of the names that these are for. Config and policies are the structs,
 * each with what it leads to behind it, and offsets into the part in place of pointers. Whoever
 * looks for a policy reads head, entries and hashes, and the policy that it is.
 */
struct part {
	uint64_t at, length, sum;
};

struct entry {
	struct part policy;
	uint32_t first_name, name_count; /* users and groups; none: it is for everybody */
};

struct head {
	uint64_t magic;
	uint64_t sizes; /* of the structs: another build has another image */
	struct part config, entries, names;
	uint64_t sum; /* of what is above */
};

#define SIZES                                                                                      \
	((uint64_t)sizeof(struct config) << 48 | (uint64_t)sizeof(struct policy) << 32 |           \
	 (uint64_t)sizeof(struct pool) << 16 | sizeof(struct bind_mount))

/* The members of a struct that lead elsewhere: a text that may be NULL, or a list of texts. */
struct member {
	size_t at;
	bool is_list;
};

struct members {
	const struct member *items;
	size_t count;
};

extern const struct members members_of_policy, members_of_bind, members_of_pool, members_of_config;

/* Against damage, not against forgery. The length is a multiple of 8. */
uint64_t image_sum(const void *bytes, size_t length);

/* Is the part, which may be anything, within so many bytes? */
bool image_part_fits(const struct part *part, size_t length);

#endif
