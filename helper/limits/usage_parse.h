/* helper/limits/usage_parse.h - numbers from the texts in which cgroups tell what they use. Pure.
 */
#ifndef CARREL_HELPER_LIMITS_USAGE_PARSE_H
#define CARREL_HELPER_LIMITS_USAGE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

enum usage_shape {
	USAGE_NUMBER,     /* "4096" */
	USAGE_LINE,       /* "oom_kill 3": the line that begins with the key */
	USAGE_DISKS,      /* v1, summed over all disks: "254:0 Read 4096" */
	USAGE_DISKS_KEYS, /* v2, summed over all disks: "254:0 rbytes=4096 wbytes=0 ..." */
};

/*
 * The number that `text` holds, or UINT64_MAX when it does not. `counts` says whether a disk is to
 * be added to the sum; NULL: all are.
 */
uint64_t usage_parse(const char *text, enum usage_shape shape, const char *key,
		     bool (*counts)(unsigned major, unsigned minor));

#endif
