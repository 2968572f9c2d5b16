/* policy/load.c - read carrel.conf and policy.d, in order, into one config. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/build.h"
#include "policy/check.h"
#include "policy/files.h"
#include "policy/grammar.h"
#include "policy/policy.h"
#include "policy/tree.h"
#include "policy/vet.h"

static void tree_cleanup(cfg_t **tree)
{
	if (*tree)
		(void)cfg_free(*tree);
}

static bool read_text(struct config *config, const char *text, size_t length, const char *file,
		      bool main_file, struct failure *why)
{
	struct reader reader = {.config = config, .file = file, .main_file = main_file};
	_cleanup_free_ char *clean = grammar_check(text, length, file, why);
	__attribute__((cleanup(tree_cleanup))) cfg_t *tree = NULL;

	if (!clean)
		return false;
	tree = tree_parse(clean, file, file_keys, why);
	return tree && schema_read(&reader, tree, file_keys, config, why) &&
	       (!main_file || check_main(file, tree, config, why));
}

static bool read_file(struct config *config, int fd, const char *shown, bool main_file,
		      struct failure *why)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	const char *file;

	text = vet_read(fd, &length, shown, why);
	if (!text)
		return false;
	file = config_add_file(config, shown, why);
	return file && read_text(config, text, length, file, main_file, why);
}

static bool load_main(struct config *config, int dir, struct failure *why)
{
	_cleanup_close_ int fd = vet_open_file(dir, POLICY_MAIN_FILE, POLICY_MAIN_FILE, why);

	if (fd < 0)
		return why->error == ENOENT;
	return read_file(config, fd, POLICY_MAIN_FILE, true, why);
}

static bool load_drop_in(struct config *config, int dir, const char *name, struct failure *why)
{
	_cleanup_close_ int fd = -1;
	char shown[sizeof(POLICY_DROP_IN_DIR) + NAME_MAX + 1];

	(void)snprintf(shown, sizeof(shown), "%s/%s", POLICY_DROP_IN_DIR, name);
	fd = vet_open_file(dir, name, shown, why);
	if (fd < 0) /* removed since the directory was listed */
		return why->error == ENOENT;
	return read_file(config, fd, shown, false, why);
}

static bool load_drop_ins(struct config *config, int dir, struct failure *why)
{
	_cleanup_close_ int drop_ins = vet_open_directory(dir, POLICY_DROP_IN_DIR, why);
	struct string_list names = {0};
	bool loaded;

	if (drop_ins < 0)
		return why->error == ENOENT;
	loaded = policy_list_drop_ins(drop_ins, &names, why);
	for (size_t i = 0; i < names.count && loaded; i++)
		loaded = load_drop_in(config, drop_ins, names.items[i], why);
	string_list_free(&names);
	return loaded;
}

struct config *config_load(int dir, struct config **exempt, struct failure *why)
{
	struct config *config = config_new(why);

	if (exempt)
		*exempt = NULL;
	if (!config)
		return NULL;
	if (!vet_directory(dir, "the policy directory", why) || !load_main(config, dir, why)) {
		config_free(config);
		return NULL;
	}
	if (load_drop_ins(config, dir, why) && check_references(config, why))
		return config;
	if (exempt) {
		config_drop_policies(config);
		*exempt = take_ptr(config);
	}
	config_free(config);
	return NULL;
}
