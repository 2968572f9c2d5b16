/* helper/admin/main.c - the command `carrel`: find the sub-command in the table and run it. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "helper/admin/admin.h"
#include "helper/admin/commands.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static const struct command commands[] = {
    {"list", "[--json] [--no-header] [NAME-PATTERN...]",
     "Show the containers, what they use and what they may use.", run_list, true},
    {"top", "[--batch [--count N]] [--delay SECONDS] [--sort COLUMN] [--reverse] [--filter TEXT]",
     "Watch the containers that run, and act on them.", run_top, true},
    {"status", "[--json] [NAME]", "Show how it stands with a container; inside, with your own.",
     run_status, false},
    {"quota apply", "NAME... | --group GROUP | --policy POLICY | --all",
     "Hold running containers to what their policies say now.", run_quota_apply, true},
    {"quota", "[--json] [NAME... | --group GROUP | --policy POLICY | --all]",
     "Show what is used of what may be used; inside, by your own container.", run_quota, false},
    {"metrics", "[--write FILE]", "Print figures of all containers for Prometheus.", run_metrics,
     true},
    {"show", "[--json] NAME", "Show everything that is known about a container.", run_show, true},
    {"enter", "[--user USER] NAME", "Open a shell in a running container.", run_enter, true},
    {"exec", "[--user USER] NAME -- COMMAND [ARGUMENT...]", "Run a command in a running container.",
     run_exec, true},
    {"cp", "[--recursive] [--user USER] {NAME:PATH DEST | SOURCE NAME:PATH}",
     "Copy files and folders into or out of a running container.", run_cp, true},
    {"message", "NAME[,NAME...]|--group G|--policy P|--all TEXT...",
     "Write a message to every terminal of containers.", run_message, true},
    {"push", "--group G [--to DIR] FILE...|--remove NAME...|--list [--json] [--no-header]",
     "Show files to a group in /class of every container, at once.", run_push, true},
    {"collect",
     "[--max-size SIZE] [--timeout S] [--json] USERS|--group G|--policy P|--all PATH DIR",
     "Copy the same file or folder of many users into one folder.", run_collect, true},
    {"start", "[--jobs N] USER...|--group G|--policy P|--all",
     "Start the containers of users before they come.", run_start, true},
    {"freeze", "NAME...|--group G|--policy P|--all",
     "Hold everything that runs in containers where it is.", run_freeze, true},
    {"thaw", "NAME...|--group G|--policy P|--all", "Let frozen containers go on.", run_thaw, true},
    {"stop", "[--timeout SECONDS] NAME...|--group G|--policy P|--all",
     "Stop running containers; their data stays.", run_stop, true},
    {"remove", "[--yes] NAME", "Remove a container and all its data.", run_remove, true},
    {"reset", "[--all] [--stop] [--yes] NAME...|--group G|--policy P",
     "Give containers a fresh layer; home is kept unless --all.", run_reset, true},
    {"snapshot", "NAME [LABEL]", "Keep the state that a container has now.", run_snapshot, true},
    {"snapshots", "[--json] [--no-header] NAME | --remove LABEL [--yes] NAME",
     "Show the snapshots of a container, or remove one.", run_snapshots, true},
    {"rollback", "[--discard] [--stop] [--yes] NAME LABEL", "Put a container back to a snapshot.",
     run_rollback, true},
    {"export", "[--home-only] [--snapshot LABEL] NAME",
     "Write the data of a container as a tar archive.", run_export, true},
    {"import", "[--home-only] [--policy POLICY] [--discard] [--stop] [--yes] NAME",
     "Read the data of a container from such an archive.", run_import, true},
    {"gc", "[--dry-run] [--json] [--trust-clock]",
     "Clear what the dead left behind, and data that have expired.", run_gc, true},
    {"image build",
     "NAME --from DIRECTORY|TAR|OCI-LAYOUT[:TAG]|debian:SUITE [--include PACKAGE,...] "
     "[--format dir|erofs]",
     "Make an image, or a new version of one.", run_image_build, true},
    {"image import", "NAME DIRECTORY|TAR|OCI-LAYOUT[:TAG]",
     "Make a new image: short for image build.", run_image_import, true},
    {"image list", "[--json] [--no-header]", "Show the images, their versions and who uses them.",
     run_image_list, true},
    {"image use", "NAME VERSION", "Let the next starts take another version of an image.",
     run_image_use, true},
    {"image remove", "[--yes] [--version VERSION] NAME",
     "Remove an image that no container uses, or a version of it.", run_image_remove, true},
    {"policy check", "[--dir DIRECTORY]", "Check the policy files against this machine.",
     run_policy_check, true},
    {"policy explain", "[--service SERVICE] [--json] USER",
     "Show what a login of the user would get, and why.", run_policy_explain, true},
    {"pam enable", "[--yes] SERVICE...", "Put Carrel into the PAM stack of services.",
     run_pam_enable, true},
    {"pam disable", "SERVICE...", "Take Carrel out of the PAM stack of services.", run_pam_disable,
     true},
    {"pam status", "[--json] [--no-header] [SERVICE...]",
     "Show which services have Carrel in their PAM stack.", run_pam_status, true},
    {"events", "[--follow] [--since TIME] [--user USER] [--container NAME] [--json]",
     "Show who came, who was refused and what was stopped.", run_events, true},
    {"doctor", "[--json]", "Check that this machine can do what Carrel needs.", run_doctor, true},
};

static int print_help(FILE *out, int status)
{
	(void)fputs("usage: carrel COMMAND [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
		(void)fprintf(out, "  %-15s %s\n", commands[i].name, commands[i].help);
	(void)fputs("\n'carrel COMMAND --help' shows the arguments; carrel(8) says the rest.\n",
		    out);
	return out == stdout ? output_status(status) : status;
}

/* How many words of the command line the command's name takes: 0 when it is another command. */
static int words_matched(const struct command *command, int argc, char **argv)
{
	const char *space = strchr(command->name, ' ');
	size_t first = space ? (size_t)(space - command->name) : strlen(command->name);

	if (strlen(argv[0]) != first || strncmp(argv[0], command->name, first) != 0)
		return 0;
	if (!space)
		return 1;
	return argc > 1 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

/* The first word of a group without a second one that fits: say what there is. */
static int print_group(const char *group, bool asked_for_help)
{
	FILE *out = asked_for_help ? stdout : stderr;
	size_t length = strlen(group), found = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
		if (strncmp(commands[i].name, group, length) != 0 ||
		    commands[i].name[length] != ' ')
			continue;
		usage_print(out, &commands[i]);
		found++;
	}
	if (found == 0) {
		(void)complain("unknown command '%s'", group);
		return print_help(stderr, STATUS_USAGE);
	}
	return asked_for_help ? output_status(STATUS_OK) : STATUS_USAGE;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int main(int argc, char **argv)
{
	(void)setlocale(LC_CTYPE, "");
	if (argc < 2)
		return print_help(stderr, STATUS_USAGE);
	if (is_help(argv[1]))
		return print_help(stdout, STATUS_OK);
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("carrel " PACKAGE_VERSION);
		return output_status(STATUS_OK);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
		int words = words_matched(&commands[i], argc - 1, argv + 1);

		/* The last word of the name stands where getopt expects the program's. */
		if (words)
			return commands[i].run(&commands[i], argc - words, argv + words);
	}
	return print_group(argv[1], argc > 2 && is_help(argv[2]));
}
