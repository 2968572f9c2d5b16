/* helper/admin/json_tree.h - read a JSON document (RFC 8259) that somebody else wrote. Pure. */
#ifndef CARREL_HELPER_ADMIN_JSON_TREE_H
#define CARREL_HELPER_ADMIN_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

enum json_kind { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_WORD };

/* A value; the members of an object and the items of an array are a list of siblings. */
struct json_node {
	enum json_kind kind;
	size_t key, key_length; /* in the text, without quotes; for members of an object */
	size_t start, length;   /* in the text; of a string without its quotes */
	size_t child, next;     /* 0: none */
};

/* Node 0 is the document itself. */
struct json_tree {
	const char *text; /* borrowed */
	struct json_node *nodes;
	size_t count, size;
};

/* False with FAILURE_DATA and *why when it is not JSON, or too large or deep. Free in any case. */
bool json_tree_parse(const char *text, size_t length, struct json_tree *tree, struct failure *why);
void json_tree_free(struct json_tree *tree);

/* The member of that name of an object; 0 when there is none, also when `node` is no object. */
size_t json_tree_member(const struct json_tree *tree, size_t node, const char *name);

/* The first item of an array, 0 when it has none or is none; go on with nodes[...].next. */
size_t json_tree_first(const struct json_tree *tree, size_t node);

/*
 * A string as text. False when the node is 0 or no string, when it does not fit, or has escapes
 * other than those of printable ASCII characters: names that we compare have none.
 */
bool json_tree_text(const struct json_tree *tree, size_t node, char *out, size_t size);

/* A whole number that is not negative. */
bool json_tree_number(const struct json_tree *tree, size_t node, uint64_t *number);

#endif
