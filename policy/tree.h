/* policy/tree.h - one file's text as libconfuse's tree of blocks and values. */
#ifndef CARREL_POLICY_TREE_H
#define CARREL_POLICY_TREE_H

#include <confuse.h>

#include "policy/schema.h"

/* One value as it was written, which is what every value in the tree points to. */
struct setting {
	unsigned line;
	char text[];
};

/*
 * Parse text that grammar_check returned. Keys that are not in `keys`, keys that are set twice in a
 * block and blocks that may be there once but are there twice are errors that name file and line.
 * NULL with *why on failure; the caller releases the tree with cfg_free.
 */
cfg_t *tree_parse(char *text, const char *file, const struct key *keys, struct failure *why);

/* The i-th value of a key. */
const struct setting *tree_setting(cfg_t *block, const char *key, unsigned i);

/* The name of a named block, and the line of that name. */
const char *tree_block_name(const cfg_t *block, unsigned *line);

/* The line where a key, or the first key inside that block, is set; 0 when it is not. */
unsigned tree_line(cfg_t *block, const struct key *key);

#endif
