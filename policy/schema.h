/* policy/schema.h - which keys the files know, and how each one becomes a part of the config. */
#ifndef CARREL_POLICY_SCHEMA_H
#define CARREL_POLICY_SCHEMA_H

#include <confuse.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

enum key_kind {
	KEY_VALUE, /* key = value */
	KEY_LIST,  /* key = { value, value } */
	KEY_BLOCK, /* key { ... }, at most once */
	KEY_NAMED  /* key "name" { ... }, any number */
};

enum key_flag {
	KEY_CONTAIN = 1 << 0, /* only with action = contain */
	KEY_MAIN = 1 << 1,    /* only in carrel.conf */
	KEY_TEXT = 1 << 2,    /* prose: may hold line breaks */
};

/* Where the reader is: what is being filled and which line a message should name. */
struct reader {
	struct config *config;
	const char *file; /* owned by the config */
	bool main_file;   /* carrel.conf, not one of policy.d */
	unsigned line;
};

struct key {
	const char *name;
	enum key_kind kind;
	unsigned flags;

	/* KEY_VALUE, KEY_LIST: put one value into the struct that the block fills. */
	bool (*read)(const struct reader *reader, const struct key *key, const char *text,
		     void *into, struct failure *why);
	size_t offset;            /* of the field in that struct */
	const char *const *words; /* the values there are, ending in NULL */
	uint64_t low, high;       /* or the range, or in low the id of a limit */

	/* KEY_BLOCK, KEY_NAMED: the keys inside, ending with one that has no name. */
	const struct key *keys;
	/* KEY_NAMED: make what the block describes. */
	bool (*open)(struct reader *reader, cfg_t *block, void *into, struct failure *why);
};

/* The keys of a file. */
extern const struct key file_keys[];

/* Everything in a block, into the struct that the offsets of its keys are for. */
bool schema_read(struct reader *reader, cfg_t *block, const struct key *keys, void *into,
		 struct failure *why);

#endif
