/* Attempts to reach the host's files. */
#define _GNU_SOURCE
#include "attempt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Arguments: paths to open for writing. */
static int open_for_writing(char **paths)
{
	for (; *paths; paths++)
		tell_descriptor(*paths, open(*paths, O_WRONLY));
	return 0;
}

/* Arguments: paths to write a line to. */
static int write_to(char **paths)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "%d\n", getpid());
	for (; *paths; paths++) {
		int descriptor = open(*paths, O_WRONLY);
		tell(*paths, descriptor < 0 ? -1 : write(descriptor, line, strlen(line)));
		if (descriptor >= 0)
			close(descriptor);
	}
	return 0;
}

/* What is inherited: no directory, and none whose parents lead anywhere (CVE-2024-21626). */
static int inherited(char **arguments)
{
	char path[64];
	struct stat status;

	(void)arguments;
	for (int number = 0; number < 1024; number++) {
		if (fstat(number, &status) < 0)
			continue;
		printf("descriptor-%d %s\n", number,
		       S_ISDIR(status.st_mode) ? "directory" : "plain");
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/../../../etc/shadow", number);
		tell("through-it", access(path, F_OK));
	}
	return 0;
}

static void list(const char *where)
{
	DIR *directory = opendir(where);

	for (struct dirent *entry; directory && (entry = readdir(directory));)
		if (entry->d_name[0] != '.')
			printf("entry %s%s\n", where, entry->d_name);
	if (directory)
		closedir(directory);
}

/* The old way out: a directory descriptor that is above the new root. */
static int break_out(char **arguments)
{
	struct stat before, after;

	(void)arguments;
	stat("/", &before);
	mkdir("/tmp/cage", 0700);
	int root = open("/", O_DIRECTORY | O_RDONLY);
	if (chroot("/tmp/cage") < 0) {
		tell("chroot", -1);
		return 0;
	}
	if (fchdir(root) < 0)
		return 1;
	for (int i = 0; i < 100; i++)
		if (chdir("..") < 0)
			break;
	tell("chroot", chroot("."));
	stat("/", &after);
	printf("root %s\n",
	       before.st_dev == after.st_dev && before.st_ino == after.st_ino ? "same" : "other");
	tell("create", mkdir("/escaped", 0700));
	list("/");
	tell("shadow-of-host", access("/etc/host-secret", F_OK));
	tell("root-of-host", access("/root/host-secret", F_OK));
	return 0;
}

/* Argument: name of an abstract socket of the host. */
static int abstract_socket(char **arguments)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(arguments[0]);
	int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path + 1, arguments[0], length);
	tell("connect", connect(descriptor, (struct sockaddr *)&address,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)));
	return 0;
}

/* Arguments: pairs of an existing path and a new name. */
static int hard_links(char **arguments)
{
	for (; arguments[0] && arguments[1]; arguments += 2)
		tell(arguments[0], link(arguments[0], arguments[1]));
	return 0;
}

/* Argument: a folder to work in. Attributes that overlayfs reads from its layers. */
static int overlay_attributes(char **arguments)
{
	static const char *const names[] = {"user.overlay.opaque",    "user.overlay.redirect",
					    "user.overlay.metacopy",  "user.overlay.origin",
					    "user.overlay.whiteout",  "trusted.overlay.redirect",
					    "trusted.overlay.opaque", "trusted.overlay.metacopy"};
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/overlay-%d", arguments[0], getpid());
	mkdir(path, 0700);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		tell(names[i], setxattr(strncmp(names[i], "user", 4) == 0 ? "/etc" : path, names[i],
					"/../../../etc", 13, 0));
	rmdir(path);
	return 0;
}

const struct attempt file_attempts[] = {
    {"open", open_for_writing},      {"write", write_to},
    {"inherited", inherited},        {"break-out", break_out},
    {"abstract", abstract_socket},   {"link", hard_links},
    {"overlay", overlay_attributes}, {NULL, NULL},
};
