/* helper/admin/options.c - understand the command line, and say so when it is not understood. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/admin/admin.h"
#include "helper/admin/inside.h"

#define OPTIONS_MAX 8

void usage_print(FILE *out, const struct command *command)
{
	(void)fprintf(out, "usage: carrel %s%s%s\n", command->name, *command->arguments ? " " : "",
		      command->arguments);
}

int complain(const char *format, ...)
{
	va_list arguments;

	(void)fflush(stdout);
	(void)fputs("carrel: ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	return STATUS_FAILED;
}

int usage_error(const struct command *command, const char *format, ...)
{
	va_list arguments;

	(void)fflush(stdout);
	(void)fprintf(stderr, "carrel: %s: ", command->name);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	usage_print(stderr, command);
	return STATUS_USAGE;
}

/* Our table as getopt_long(3) wants it. `letters` gets ":h" and the short forms. */
static void make_getopt_tables(const struct option_spec *specs, size_t count,
			       struct option options[OPTIONS_MAX + 2],
			       char letters[2 * OPTIONS_MAX + 3])
{
	char *letter = letters;

	*letter++ = ':';
	*letter++ = 'h';
	for (size_t i = 0; i < count; i++) {
		options[i] = (struct option){
		    .name = specs[i].name,
		    .has_arg = specs[i].value ? required_argument : no_argument,
		    .val = (int)(256 + i),
		};
		if (!specs[i].letter)
			continue;
		*letter++ = specs[i].letter;
		if (specs[i].value)
			*letter++ = ':';
	}
	*letter = '\0';
	options[count] = (struct option){.name = "help", .val = 'h'};
	options[count + 1] = (struct option){0};
}

static const struct option_spec *spec_of(const struct option_spec *specs, size_t count, int got)
{
	if (got >= 256)
		return &specs[got - 256];
	for (size_t i = 0; i < count; i++)
		if (specs[i].letter == got)
			return &specs[i];
	return NULL;
}

static int help(const struct command *command)
{
	usage_print(stdout, command);
	(void)printf("%s\nSee carrel(8).\n", command->help);
	return output_status(STATUS_OK);
}

static int check_operands(const struct command *command, const struct operands *operands,
			  size_t least, size_t most)
{
	if (operands->count < least)
		return usage_error(command, "an argument is missing");
	if (operands->count > most)
		return usage_error(command, "unexpected argument '%s'", operands->items[most]);
	return STATUS_GO_ON;
}

int options_parse(const struct command *command, int argc, char **argv,
		  const struct option_spec *specs, size_t spec_count, size_t least, size_t most,
		  struct operands *operands)
{
	struct option options[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 3];
	int got, status;

	make_getopt_tables(specs, spec_count, options, letters);
	optind = 0; /* main may have looked at other options before: start afresh (getopt(3)) */
	opterr = 0;
	while ((got = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		const struct option_spec *spec;

		if (got == 'h')
			return help(command);
		if (got == ':')
			return usage_error(command, "option '%s' needs a value", argv[optind - 1]);
		if (got == '?')
			return usage_error(command, "unknown option '%s'", argv[optind - 1]);
		spec = spec_of(specs, spec_count, got);
		if (spec->value)
			*spec->value = optarg;
		else
			*spec->flag = true;
	}
	operands->count = (size_t)(argc - optind);
	operands->items = argv + optind;
	status = check_operands(command, operands, least, most);
	if (status != STATUS_GO_ON)
		return status;
	return command->needs_root ? require_root(command) : STATUS_GO_ON;
}

int require_root(const struct command *command)
{
	if (is_inside())
		return complain("%s: this is for the machine's admins; in a container there are: "
				"carrel quota, carrel status",
				command->name);
	if (geteuid() != 0)
		return complain("%s: only root can do this; try: sudo carrel %s", command->name,
				command->name);
	return STATUS_GO_ON;
}

bool confirm(const char *format, ...)
{
	char answer[16];
	va_list arguments;

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		(void)complain("standard input is not a terminal: say --yes to go on unasked");
		return false;
	}
	(void)fflush(stdout);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputs(" [y/N] ", stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return answer[0] == 'y' || answer[0] == 'Y';
}

int output_status(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return complain("cannot write to standard output: %m");
}

int json_print(struct json *json)
{
	if (json->failed || !json->text)
		return complain("out of memory while writing JSON");
	(void)fwrite(json->text, 1, json->length, stdout);
	(void)fputc('\n', stdout);
	return output_status(STATUS_OK);
}
