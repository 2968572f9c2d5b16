/* policy/image.h - a config in one piece of bytes, to be kept and taken up without parsing. */
#ifndef CARREL_POLICY_IMAGE_H
#define CARREL_POLICY_IMAGE_H

#include <stddef.h>

#include "policy/policy.h"

/*
 * The config's structs as they are in memory, with offsets in place of pointers; of a config that
 * was parsed. For the same build on the same machine only. NULL without memory; the caller frees
 * it.
 */
void *config_pack(const struct config *config, size_t *length);

/*
 * A config from what config_pack made, at a multiple of 8, which it goes on reading until
 * config_free. Its policies stay in there until config_select finds one of them. NULL when there
 * is no memory or when a byte, offset or count of it is not what it was; of the policies that is
 * seen when one is asked for.
 */
struct config *config_unpack(const void *bytes, size_t length);

/* The bytes are within this mapping, and config_free unmaps it. */
void config_image_own(struct config *config, void *map, size_t length);

/* config_free(), of a config with an image. */
void config_image_free(struct config *config);

/* Put the sums right again after a change. For tests that look behind them. */
void config_image_seal(void *bytes, size_t length);

/* Names, of which one that was never added is hardly ever thought to be there. Begins as zeros. */
struct name_filter {
	uint64_t bits[1024];
};

uint32_t name_hash(const char *name);
void name_filter_add(struct name_filter *filter, const char *name);

size_t config_image_count(const struct config_image *image);

/* False: the policy is for users and groups none of which is in the set. */
bool config_image_may_match(const struct config_image *image, size_t index,
			    const struct name_filter *names);

/* Lives as long as the config. NULL when it is damaged or there is no memory. */
const struct policy *config_image_policy(struct config_image *image, size_t index);

#endif
