/* tests/bench/layers.c - run a program below some of what is around programs in a container. */

/*
 *	layers LAYERS UID FILTER ROOT PROGRAM [ARGUMENT...]
 *
 * LAYERS are some of these words: user (a user namespace), seccomp (the program in FILTER), root (a
 * tmpfs on ROOT with /usr bound in it, nosuid,nodev), and of that mount readonly, idmap, noatime;
 * groups: the map of user and idmap is that of somebody in four groups more, 11 parts in place of
 * 3. For case_layers.py.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_ID  1000000u
#define LAST_ID   65535u
#define MAX_PARTS 4096

static void need(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	exit(1);
}

/* Ids to themselves, all others to those of a container. They are in order, and end with 0. */
static void write_map(pid_t pid, const char *kind, const unsigned *own)
{
	char path[64], text[1024];
	unsigned next = 0;
	int length = 0, file;

	for (; *own; own++) {
		length +=
		    snprintf(text + length, sizeof(text) - (size_t)length, "%u %u %u\n%u %u 1\n",
			     next, FIRST_ID + next, *own - next, *own, *own);
		next = *own + 1;
	}
	length += snprintf(text + length, sizeof(text) - (size_t)length, "%u %u %u\n", next,
			   FIRST_ID + next, LAST_ID - next);
	(void)snprintf(path, sizeof(path), "/proc/%d/%s_map", pid, kind);
	file = open(path, O_WRONLY | O_CLOEXEC);
	need(file >= 0 && write(file, text, (size_t)length) == length, path);
	(void)close(file);
}

static int user_namespace(unsigned id, bool groups)
{
	const unsigned uids[] = {id, 0}, few[] = {id, 0}, many[] = {20, 24, 29, 44, id, 0};
	char path[64], byte = 0;
	int ready[2], done[2], fd;
	pid_t pid;

	need(pipe2(ready, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		need(unshare(CLONE_NEWUSER) == 0, "user namespace");
		(void)!write(ready[1], &byte, 1);
		(void)!read(done[0], &byte, 1);
		_exit(0);
	}
	need(pid > 0 && read(ready[0], &byte, 1) == 1, "user namespace");
	write_map(pid, "uid", uids);
	write_map(pid, "gid", groups ? many : few);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(fd >= 0 && write(done[1], &byte, 1) == 1 && waitpid(pid, NULL, 0) == pid, path);
	return fd;
}

static void take_root(const char *layers, const char *root, int user)
{
	struct mount_attr change = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	struct mount_attr map = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)user};
	int usr;

	if (strstr(layers, "readonly"))
		change.attr_set |= MOUNT_ATTR_RDONLY;
	if (strstr(layers, "noatime")) {
		change.attr_set |= MOUNT_ATTR_NOATIME;
		change.attr_clr |= MOUNT_ATTR__ATIME;
	}
	need(unshare(CLONE_NEWNS) == 0, "mount namespace");
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	usr = open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	need(usr >= 0, "/usr");
	need(mount_setattr(usr, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof(change)) == 0,
	     "attributes");
	need(!strstr(layers, "idmap") ||
		 mount_setattr(usr, "", AT_EMPTY_PATH | AT_RECURSIVE, &map, sizeof(map)) == 0,
	     "idmap");
	need(mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0, root);
	need(chdir(root) == 0 && chroot(".") == 0 && mkdir("/usr", 0755) == 0, root);
	need(move_mount(usr, "", AT_FDCWD, "/usr", MOVE_MOUNT_F_EMPTY_PATH) == 0, "/usr");
}

static void filter(int file)
{
	static struct sock_filter code[MAX_PARTS];
	ssize_t size = read(file, code, sizeof(code));
	struct sock_fprog program = {.filter = code};

	program.len = (unsigned short)((size_t)size / sizeof(code[0]));
	need(size > 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		 syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0,
	     "seccomp");
}

int main(int argc, char **argv)
{
	int program, code, user;
	unsigned id;

	if (argc < 6)
		return 2;
	id = (unsigned)atoi(argv[2]);
	code = open(argv[3], O_RDONLY | O_CLOEXEC);
	program = open(argv[5], O_RDONLY | O_CLOEXEC);
	need(code >= 0 && program >= 0, argv[5]);
	user = user_namespace(id, strstr(argv[1], "groups") != NULL);
	if (strstr(argv[1], "root"))
		take_root(argv[1], argv[4], user);
	if (strstr(argv[1], "user"))
		need(setns(user, CLONE_NEWUSER) == 0, "user namespace");
	need(setgroups(0, NULL) == 0 && setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0,
	     "ids");
	if (strstr(argv[1], "seccomp"))
		filter(code);
	(void)fexecve(program, argv + 5, environ);
	perror(argv[5]);
	return 1;
}
