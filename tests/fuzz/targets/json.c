/* targets/json.c - JSON of images that somebody else made, and what is looked for in it. */
/* Sources: helper/admin/json_tree.c helper/admin/oci_layout.c base/failure.c */
#include "helper/admin/oci_layout.h"
#include "tests/fuzz/targets/fuzz.h"

static void check_blob(const struct oci_blob *blob)
{
	MUST(strlen(blob->hex) == OCI_HEX && strspn(blob->hex, "0123456789abcdef") == OCI_HEX);
	MUST(strlen(blob->type) < sizeof(blob->type));
}

static void check_tree(const struct json_tree *tree, size_t length)
{
	char text[40];
	uint64_t number;

	for (size_t i = 0; i < tree->count; i++) {
		const struct json_node *node = &tree->nodes[i];

		MUST(node->start <= length && node->length <= length - node->start);
		MUST(node->key <= length && node->key_length <= length - node->key);
		/* A tree, not a circle: those that follow come later in the text. */
		MUST((!node->child || node->child > i) && (!node->next || node->next > i));
		MUST(node->child < tree->count && node->next < tree->count);
		memset(text, 'x', sizeof(text));
		if (json_tree_text(tree, i, text, sizeof(text)))
			MUST(strlen(text) <= node->length && strlen(text) * 2 >= node->length);
		else if (i && node->kind == JSON_STRING)
			MUST(!*text);
		(void)json_tree_number(tree, i, &number);
	}
}

static void check_images(const struct json_tree *tree)
{
	static struct oci_manifest manifest;
	struct oci_blob blob;
	struct failure why = {0};
	bool is_index;

	if (oci_index_choose(tree, NULL, &blob, &is_index, &why))
		check_blob(&blob);
	if (oci_index_choose(tree, "12", &blob, &is_index, &why))
		check_blob(&blob);
	if (oci_manifest_read(tree, &manifest, &why)) {
		MUST(manifest.layer_count > 0 && manifest.layer_count <= OCI_LAYERS_MAX);
		check_blob(&manifest.config);
		for (size_t i = 0; i < manifest.layer_count; i++)
			check_blob(&manifest.layers[i]);
	}
	(void)oci_config_check(tree, &why);
}

static void parse(const char *text, size_t length)
{
	struct failure why = {0};
	struct json_tree tree;

	if (json_tree_parse(text, length, &tree, &why)) {
		check_tree(&tree, length);
		check_images(&tree);
	} else {
		MUST(why.kind == FAILURE_DATA && why.text[0]);
	}
	json_tree_free(&tree);
	MUST(json_tree_member(&tree, 0, "a") == 0);
}

/* The same thousands of times in a list: there is a bound to how much is read. */
static void parse_many(const uint8_t *data, size_t size)
{
	size_t times = 140000 / (size + 1);
	char *text = malloc(times * (size + 1) + 2), *at = text;

	MUST(text);
	*at++ = '[';
	for (size_t i = 0; i < times; i++) {
		at = mempcpy(at, data, size);
		*at++ = i + 1 < times ? ',' : ']';
	}
	parse(text, (size_t)(at - text));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(data, size);

	parse(copy, size);
	free(copy);
	if (size == 1)
		parse_many(data, size);
	return 0;
}
