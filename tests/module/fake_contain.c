/* tests/module/fake_contain.c - a container that is just enough for the module to join it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/module/fake_helper.h"

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)

/* The tests' user and group 4242 are themselves inside, as a user of Carrel is. */
#define MAP           "0 100000 4242\n4242 4242 1\n4243 104243 61293\n"
#define MAP_NO_ROOT   "4242 4242 1\n"
#define MAP_HOST_ROOT "0 0 1\n4242 4242 1\n"

/* ---- the seccomp program ----------------------------------------------------------------------
 */

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

static int memfd_with(const void *data, size_t length, int seals)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, data, length) != (ssize_t)length)
		die("memfd");
	if (seals && fcntl(fd, F_ADD_SEALS, seals) < 0)
		die("F_ADD_SEALS");
	return fd;
}

/* Allows all but getpriority(2), so that the tests can see that it is loaded. */
static const struct sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getpriority, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EBADFD),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static int good_program(void)
{
	return memfd_with(program, sizeof(program), ALL_SEALS);
}

static int writable_program(void)
{
	return memfd_with(program, sizeof(program), ALL_SEALS & ~F_SEAL_WRITE);
}

static int odd_program(void)
{
	return memfd_with(program, sizeof(program) - 3, ALL_SEALS);
}

static int empty_program(void)
{
	return memfd_with("", 0, ALL_SEALS);
}

static int huge_program(void)
{
	static const struct sock_filter many[BPF_MAXINSNS + 1];

	return memfd_with(many, sizeof(many), ALL_SEALS);
}

/* Sound to look at, and refused by the kernel. */
static int invalid_program(void)
{
	static const struct sock_filter nonsense[] = {{.code = 0xffff}, {.code = 0xffff}};

	return memfd_with(nonsense, sizeof(nonsense), ALL_SEALS);
}

static int no_program(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* ---- the container ----------------------------------------------------------------------------
 */

static void write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	(void)close(fd);
}

/* A tmpfs with next to nothing in it becomes the root; the host's is unmounted. */
static void make_root(void)
{
	static const char *const dirs[] = {"proc", "dev", "run", "run/carrel", "etc"};
	int mark;

	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		die("container: root");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", FAKE_DIR "/root", "tmpfs", 0, "mode=755") < 0 ||
	    chdir(FAKE_DIR "/root") < 0)
		die("container: root file system");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdir(dirs[i], 0755) < 0)
			die(dirs[i]);
	mark = open("run/carrel/inside", O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
	if (mark < 0 || mount("proc", "proc", "proc", 0, NULL) < 0)
		die("container: proc");
	(void)close(mark);
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		die("container: pivot_root");
}

static void be_init(const int mapped[2], const int ready[2], bool with_root)
{
	char byte = 0;

	(void)close(0); /* the channel: the module must see its end when the helper ends */
	(void)close(mapped[1]);
	if (read(mapped[0], &byte, 1) != 1)
		exit(98);
	if (with_root)
		make_root();
	if (write(ready[1], "", 1) != 1)
		exit(98);
	for (;;)
		(void)pause();
}

/* Returns the pidfd of its PID 1, whose PID the test finds in FAKE_DIR/init and kills. */
static int start_container(const char *uid_map, const char *gid_map, pid_t *pid)
{
	int mapped[2], ready[2], pidfd = -1;
	char byte;
	FILE *file;

	if (pipe2(mapped, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		die("pipe");
	*pid = (pid_t)syscall(SYS_clone, NAMESPACES | CLONE_PIDFD | SIGCHLD, 0UL, &pidfd, 0UL, 0UL);
	if (*pid < 0)
		die("clone");
	if (*pid == 0)
		be_init(mapped, ready, strcmp(uid_map, MAP_NO_ROOT) != 0);
	file = fopen(FAKE_DIR "/init", "we");
	if (!file || fprintf(file, "%d\n", *pid) < 0 || fclose(file) != 0)
		die(FAKE_DIR "/init");
	write_map(*pid, "uid_map", uid_map);
	write_map(*pid, "gid_map", gid_map);
	(void)close(ready[1]);
	if (write(mapped[1], "", 1) != 1 || read(ready[0], &byte, 1) != 1)
		die("the container does not come up");
	return pidfd;
}

enum init_kind { INIT_ALIVE, INIT_DEAD, INIT_NO_PIDFD };

static const struct contain_mode {
	const char *name;
	const char *uid_map, *gid_map;
	int (*program)(void);
	enum init_kind init;
	uint32_t namespaces;
	uint32_t allow_root;
} modes[] = {
    {"contain", MAP, MAP, good_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-with-root", MAP, MAP, good_program, INIT_ALIVE, NAMESPACES, 1},
    {"contain-dead", MAP, MAP, good_program, INIT_DEAD, NAMESPACES, 0},
    {"contain-no-pidfd", MAP, MAP, good_program, INIT_NO_PIDFD, NAMESPACES, 0},
    {"contain-host-root", MAP_HOST_ROOT, MAP, good_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-host-group", MAP, MAP_HOST_ROOT, good_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-no-root", MAP_NO_ROOT, MAP_NO_ROOT, good_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-host-network", MAP, MAP, good_program, INIT_ALIVE,
     NAMESPACES & ~(uint32_t)CLONE_NEWNET, 0},
    {"contain-network-only", MAP, MAP, good_program, INIT_ALIVE, CLONE_NEWNET, 0},
    {"contain-time", MAP, MAP, good_program, INIT_ALIVE, NAMESPACES | 0x80, 0},
    {"contain-writable-program", MAP, MAP, writable_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-odd-program", MAP, MAP, odd_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-empty-program", MAP, MAP, empty_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-huge-program", MAP, MAP, huge_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-invalid-program", MAP, MAP, invalid_program, INIT_ALIVE, NAMESPACES, 0},
    {"contain-no-program", MAP, MAP, no_program, INIT_ALIVE, NAMESPACES, 0},
};

static void contain(int channel, const struct contain_mode *mode)
{
	struct wire_reply reply = {.action = WIRE_CONTAIN,
				   .fd_count = WIRE_FD_COUNT,
				   .namespaces = mode->namespaces,
				   .allow_root = mode->allow_root,
				   .umask = 027,
				   .bounding_set = mode->allow_root ? 0x4e3 : 0,
				   .container = "box",
				   .user_text = "Welcome to the box",
				   .log_text = "policy students",
				   .env_count = 3,
				   .env = {"container=carrel", "HOSTBUS", "NEVERSET"}};
	int fds[WIRE_FD_COUNT];
	pid_t pid;

	fds[WIRE_FD_INIT] = start_container(mode->uid_map, mode->gid_map, &pid);
	if (mode->init == INIT_DEAD) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	} else if (mode->init == INIT_NO_PIDFD) {
		fds[WIRE_FD_INIT] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	fds[WIRE_FD_SECCOMP] = mode->program();
	send_reply(channel, &reply, fds, WIRE_FD_COUNT);
}

bool answer_contain(int channel, const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name) == 0) {
			contain(channel, &modes[i]);
			return true;
		}
	}
	return false;
}
