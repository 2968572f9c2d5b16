/* policy/tree.c - one file's text as libconfuse's tree of blocks and values. */
#include "policy/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/nearest.h"

/*
 * What the callbacks need. libconfuse hands them no pointer of the caller's, so every block
 * has an option that points here; its name is none that grammar_check lets through.
 */
#define CONTEXT_NAME "(context)"
struct context {
	const char *file;
	struct failure *why;
	bool failed; /* the first message is the one that helps */
};

/* Not by cfg_getptr: a key that it cannot find is an error, which is where we come from. */
static struct context *context_of(const cfg_t *block)
{
	for (const cfg_opt_t *option = block->opts; option && option->name; option++)
		if (option->type == CFGT_PTR && option->simple_value.ptr)
			return *option->simple_value.ptr;
	return NULL;
}

static bool is_block(const cfg_opt_t *option)
{
	return option->type == CFGT_SEC;
}

/* The block in which a key that is unknown here would be known. */
static const char *home_of(const cfg_t *block, const char *key)
{
	for (const cfg_opt_t *option = block->opts; option->name; option++) {
		if (!is_block(option))
			continue;
		for (const cfg_opt_t *inner = option->subopts; inner->name; inner++)
			if (strcmp(inner->name, key) == 0)
				return option->name;
	}
	return NULL;
}

static void explain_unknown(const struct context *context, const cfg_t *block, const char *key)
{
	const char *home = home_of(block, key);
	struct nearest nearest;

	nearest_start(&nearest, key);
	for (const cfg_opt_t *option = block->opts; option->name; option++)
		if (option->type != CFGT_PTR || !option->simple_value.ptr)
			nearest_offer(&nearest, option->name);
	if (home)
		(void)fail(context->why, FAILURE_POLICY, 0,
			   "%s:%d: unknown key \"%.40s\"; it belongs inside %s { }", context->file,
			   block->line, key, home);
	else if (nearest.best)
		(void)fail(context->why, FAILURE_POLICY, 0,
			   "%s:%d: unknown key \"%.40s\"; did you mean \"%s\"?", context->file,
			   block->line, key, nearest.best);
	else
		(void)fail(context->why, FAILURE_POLICY, 0,
			   "%s:%d: unknown key \"%.40s\"; remove it, or see carrel.conf(5)",
			   context->file, block->line, key);
}

static void on_error(cfg_t *block, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void on_error(cfg_t *block, const char *format, va_list arguments)
{
	struct context *context = context_of(block);
	char text[256];

	if (!context || context->failed)
		return;
	context->failed = true;
	/* The two messages that say too little; they are the same in every version so far. */
	if (strcmp(format, "no such option '%s'") == 0) {
		explain_unknown(context, block, va_arg(arguments, const char *));
		return;
	}
	if (strcmp(format, "unexpected token '%s'") == 0)
		format = "one value is expected after \"=\", not a list";
	(void)vsnprintf(text, sizeof(text), format, arguments);
	(void)fail(context->why, FAILURE_POLICY, 0, "%s:%d: %s", context->file, block->line, text);
}

/*
 * A key or block that was there before carries its line as its annotation. The library would
 * otherwise let the last one win, or merge two blocks.
 */
static bool mark_once(cfg_t *block, cfg_opt_t *option)
{
	const char *first = cfg_opt_getcomment(option);
	char line[16];

	if (first) {
		cfg_error(block, "\"%s\" is set twice, here and on line %s; keep one", option->name,
			  first);
		return false;
	}
	(void)snprintf(line, sizeof(line), "%d", block->line);
	return cfg_opt_setcomment(option, line) == CFG_SUCCESS;
}

static int on_block_end(cfg_t *block, cfg_opt_t *option)
{
	return mark_once(block, option) ? 0 : -1;
}

static int on_value(cfg_t *block, cfg_opt_t *option, const char *text, void *result)
{
	size_t size = strlen(text) + 1;
	struct setting *setting;

	/* Later values of the same list come with more than one value already there. */
	if (cfg_opt_size(option) <= 1 && !mark_once(block, option))
		return -1;
	setting = malloc(sizeof(*setting) + size);
	if (!setting)
		return -1;
	setting->line = (unsigned)block->line;
	memcpy(setting->text, text, size);
	*(struct setting **)result = setting;
	return 0;
}

static void options_free(cfg_opt_t *options)
{
	if (!options)
		return;
	for (cfg_opt_t *option = options; option->name; option++)
		options_free(option->subopts);
	free(options);
}

static bool option_fill(cfg_opt_t *option, const struct key *key, struct context **context);

/* The library's table for a table of keys, the one with the context first. */
static cfg_opt_t *options_make(const struct key *keys, struct context **context)
{
	cfg_opt_t *options;
	size_t count = 0;

	while (keys[count].name)
		count++;
	options = calloc(count + 2, sizeof(*options));
	if (!options)
		return NULL;
	options[0].name = CONTEXT_NAME;
	options[0].type = CFGT_PTR;
	options[0].flags = CFGF_NODEFAULT;
	options[0].simple_value.ptr = (void **)context;
	for (size_t i = 0; i < count; i++)
		if (!option_fill(&options[i + 1], &keys[i], context)) {
			options_free(options);
			return NULL;
		}
	return options;
}

static bool option_fill(cfg_opt_t *option, const struct key *key, struct context **context)
{
	option->name = key->name;
	if (key->kind == KEY_VALUE || key->kind == KEY_LIST) {
		option->type = CFGT_PTR;
		option->flags = CFGF_NODEFAULT | (key->kind == KEY_LIST ? CFGF_LIST : CFGF_NONE);
		option->parsecb = on_value;
		option->freecb = free;
		return true;
	}
	option->type = CFGT_SEC;
	option->flags = key->kind == KEY_NAMED ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE;
	option->validcb = key->kind == KEY_NAMED ? NULL : on_block_end;
	option->subopts = options_make(key->keys, context);
	return option->subopts != NULL;
}

/*
 * NULL without a message is for a lack of memory, after which the library's tree may have parts
 * that are released already: it is left alone, because cfg_free would release them again.
 */
static cfg_t *parse(cfg_t *tree, char *text, struct context *context)
{
	(void)cfg_set_error_function(tree, on_error);
	if (cfg_parse_buf(tree, text) == CFG_SUCCESS)
		return tree;
	if (context->failed)
		(void)cfg_free(tree);
	return NULL;
}

cfg_t *tree_parse(char *text, const char *file, const struct key *keys, struct failure *why)
{
	struct context data = {.file = file, .why = why};
	struct context *context = &data;
	cfg_opt_t *options = options_make(keys, &context);
	cfg_t *tree = options ? cfg_init(options, CFGF_NONE) : NULL;

	options_free(options);
	tree = tree ? parse(tree, text, &data) : NULL;
	if (!tree && !data.failed)
		(void)fail(why, FAILURE_SYSTEM, ENOMEM, "cannot parse %s", file);
	return tree;
}

const struct setting *tree_setting(cfg_t *block, const char *key, unsigned i)
{
	return cfg_getnptr(block, key, i);
}

const char *tree_block_name(const cfg_t *block, unsigned *line)
{
	const char *name = strchr(block->title, ':');

	*line = (unsigned)strtoul(block->title, NULL, 10);
	return name ? name + 1 : block->title;
}

unsigned tree_line(cfg_t *block, const struct key *key)
{
	cfg_opt_t *option = cfg_getopt(block, key->name);
	unsigned line = 0;

	if (cfg_opt_size(option) == 0)
		return 0;
	if (key->kind == KEY_VALUE || key->kind == KEY_LIST)
		return tree_setting(block, key->name, 0)->line;
	if (key->kind == KEY_NAMED) {
		(void)tree_block_name(cfg_opt_getnsec(option, 0), &line);
		return line;
	}
	for (const struct key *inner = key->keys; inner->name && line == 0; inner++)
		line = tree_line(cfg_opt_getnsec(option, 0), inner);
	return line;
}
