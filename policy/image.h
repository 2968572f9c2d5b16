/* policy/image.h - a config in one piece of bytes, to be kept and taken up without parsing. */
#ifndef CARREL_POLICY_IMAGE_H
#define CARREL_POLICY_IMAGE_H

#include <stddef.h>

#include "policy/policy.h"

/*
 * The config's structs as they are in memory, with offsets in place of pointers. For the same build
 * on the same machine only. NULL without memory; the caller frees it.
 */
void *config_pack(const struct config *config, size_t *length);

/*
 * A config from what config_pack made, in place, at a multiple of 8: it owns `block`, which malloc
 * gave and in which `bytes` are, and config_free releases both. Every offset and count is checked
 * against `length`; NULL when one does not fit, and the block is still the caller's, though its
 * bytes are no longer what they were.
 */
struct config *config_unpack(void *block, void *bytes, size_t length);

#endif
