/* helper/admin/json_tree.c - read a JSON document (RFC 8259) that somebody else wrote. */
#include "helper/admin/json_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32
#define NODES_MAX 65536

struct parser {
	struct json_tree *tree;
	const char *text;
	size_t at, length;
	unsigned depth;
};

static void skip_space(struct parser *parser)
{
	while (parser->at < parser->length && strchr(" \t\r\n", parser->text[parser->at]) &&
	       parser->text[parser->at])
		parser->at++;
}

/* The next byte that is no white space, 0 at the end. */
static char peek(struct parser *parser)
{
	skip_space(parser);
	return parser->at < parser->length ? parser->text[parser->at] : '\0';
}

static bool take(struct parser *parser, char wanted)
{
	if (peek(parser) != wanted)
		return false;
	parser->at++;
	return true;
}

static size_t new_node(struct parser *parser, enum json_kind kind)
{
	struct json_tree *tree = parser->tree;

	if (tree->count == tree->size) {
		size_t size = tree->size ? tree->size * 2 : 64;
		struct json_node *nodes = NULL;

		if (size <= NODES_MAX)
			nodes = reallocarray(tree->nodes, size, sizeof(*nodes));
		if (!nodes)
			return SIZE_MAX;
		tree->nodes = nodes;
		tree->size = size;
	}
	tree->nodes[tree->count] = (struct json_node){.kind = kind, .start = parser->at};
	return tree->count++;
}

/* A string: its place in the text, without the quotes. */
static bool skip_string(struct parser *parser, size_t *start, size_t *length)
{
	if (!take(parser, '"'))
		return false;
	*start = parser->at;
	for (; parser->at < parser->length; parser->at++) {
		unsigned char byte = (unsigned char)parser->text[parser->at];

		if (byte == '"') {
			*length = parser->at++ - *start;
			return true;
		}
		if (byte == '\\' && ++parser->at < parser->length)
			byte = (unsigned char)parser->text[parser->at];
		if (byte < ' ' || parser->at == parser->length)
			return false;
	}
	return false;
}

/* A number, true, false or null: nothing that we read is one, but it has to be skipped. */
static size_t parse_word(struct parser *parser)
{
	static const char letters[] = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
	size_t node = new_node(parser, JSON_WORD), start = parser->at;
	char first = parser->text[start];

	while (parser->at < parser->length && parser->text[parser->at] &&
	       strchr(letters, parser->text[parser->at]))
		parser->at++;
	if (node == SIZE_MAX || parser->at == start)
		return SIZE_MAX;
	parser->tree->nodes[node].length = parser->at - start;
	if (first == '-' || (first >= '0' && first <= '9'))
		parser->tree->nodes[node].kind = JSON_NUMBER;
	return node;
}

static size_t parse_value(struct parser *parser);

/* What stands between the brackets. */
static bool parse_items(struct parser *parser, size_t parent, bool keyed, char end)
{
	size_t last = 0;

	if (take(parser, end))
		return true;
	do {
		size_t key = 0, key_length = 0, item;

		if (keyed && (peek(parser) != '"' || !skip_string(parser, &key, &key_length) ||
			      !take(parser, ':')))
			return false;
		item = parse_value(parser);
		if (item == SIZE_MAX)
			return false;
		parser->tree->nodes[item].key = key;
		parser->tree->nodes[item].key_length = key_length;
		*(last ? &parser->tree->nodes[last].next : &parser->tree->nodes[parent].child) =
		    item;
		last = item;
	} while (take(parser, ','));
	return take(parser, end);
}

static size_t parse_group(struct parser *parser, enum json_kind kind, char end)
{
	size_t node = new_node(parser, kind);

	if (node == SIZE_MAX || ++parser->depth > DEPTH_MAX)
		return SIZE_MAX;
	parser->at++;
	if (!parse_items(parser, node, kind == JSON_OBJECT, end))
		return SIZE_MAX;
	parser->depth--;
	return node;
}

static size_t parse_value(struct parser *parser)
{
	size_t node, start, length;

	switch (peek(parser)) {
	case '{':
		return parse_group(parser, JSON_OBJECT, '}');
	case '[':
		return parse_group(parser, JSON_ARRAY, ']');
	case '"':
		node = new_node(parser, JSON_STRING);
		if (node == SIZE_MAX || !skip_string(parser, &start, &length))
			return SIZE_MAX;
		parser->tree->nodes[node].start = start;
		parser->tree->nodes[node].length = length;
		return node;
	case '\0':
		return SIZE_MAX;
	default:
		return parse_word(parser);
	}
}

bool json_tree_parse(const char *text, size_t length, struct json_tree *tree, struct failure *why)
{
	struct parser parser = {.tree = tree, .text = text, .length = length};

	*tree = (struct json_tree){.text = text};
	if (parse_value(&parser) == SIZE_MAX || (skip_space(&parser), parser.at != length))
		return fail(why, FAILURE_DATA, 0, "it is not JSON from byte %zu on", parser.at);
	return true;
}

void json_tree_free(struct json_tree *tree)
{
	free(take_ptr(tree->nodes));
	tree->count = tree->size = 0;
}

size_t json_tree_first(const struct json_tree *tree, size_t node)
{
	return node < tree->count && tree->nodes[node].kind == JSON_ARRAY ? tree->nodes[node].child
									  : 0;
}

size_t json_tree_member(const struct json_tree *tree, size_t node, const char *name)
{
	size_t length = strlen(name);

	if (node >= tree->count || tree->nodes[node].kind != JSON_OBJECT)
		return 0;
	for (size_t at = tree->nodes[node].child; at; at = tree->nodes[at].next)
		if (tree->nodes[at].key_length == length &&
		    memcmp(tree->text + tree->nodes[at].key, name, length) == 0)
			return at;
	return 0;
}

bool json_tree_text(const struct json_tree *tree, size_t node, char *out, size_t size)
{
	const struct json_node *found = node && node < tree->count ? &tree->nodes[node] : NULL;
	size_t used = 0;

	if (size)
		out[0] = '\0';
	if (!found || found->kind != JSON_STRING)
		return false;
	for (size_t i = 0; i < found->length && used + 1 < size; i++) {
		char byte = tree->text[found->start + i];

		if (byte == '\\' && !strchr("\"\\/", byte = tree->text[found->start + ++i]))
			break;
		out[used++] = byte;
		if (i + 1 == found->length) {
			out[used] = '\0';
			return true;
		}
	}
	if (size)
		out[0] = '\0';
	return found->length == 0 && size;
}

bool json_tree_number(const struct json_tree *tree, size_t node, uint64_t *number)
{
	uint64_t value = 0;

	if (!node || node >= tree->count || tree->nodes[node].kind != JSON_NUMBER)
		return false;
	for (size_t i = 0; i < tree->nodes[node].length; i++) {
		char digit = tree->text[tree->nodes[node].start + i];

		if (digit < '0' || digit > '9' || value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(digit - '0');
	}
	*number = value;
	return true;
}
