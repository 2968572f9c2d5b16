/* tests/bench/floor.c - the same work of the kernel with nothing around it: what nobody can beat.
 */

/*
 *	floor cold TINY_INIT FOLDER CGROUP...   a container, from clone to its PID 1 running
 *	floor join PID                          into the namespaces of a running one
 *	floor spawn-join TINY_INIT PID          the same after starting a program without libc
 *
 * Prints microseconds. FOLDER has lower, root, upper and work; the last three are the first mapped
 *id's; each CGROUP is a directory, in which one is made for the container, with limits, and removed
 *after. No policy, no checks, no account, no log, no session: the difference to Carrel is what
 *those cost.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)
#define FIRST_ID        "1000000"
#define FILTER_LENGTH   300 /* about as long as Carrel's allow list */
#define LENGTH_OF(list) (sizeof(list) / sizeof((list)[0]))

static void die(const char *what)
{
	(void)fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void need(int result, const char *what)
{
	if (result < 0)
		die(what);
}

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* A file that is not there belongs to another layout of cgroups. */
static void put(const char *folder, const char *name, const char *text)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return;
	need(fd, path);
	if (write(fd, text, strlen(text)) < 0)
		die(path);
	(void)close(fd);
}

/* ---- inside --------------------------------------------------------------------------------- */

static void mount_on(const char *type, const char *place, unsigned long flags, const char *options)
{
	if (mkdir(place, 0755) < 0 && errno != EEXIST)
		die(place);
	need(mount(type, place, type, flags, options), place);
}

static void make_root(const char *folder)
{
	static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
	char options[1024], from[32], to[32];

	need(chdir(folder), folder);
	(void)snprintf(options, sizeof(options),
		       "userxattr,lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", folder,
		       folder, folder);
	need(mount("overlay", "root", "overlay", MS_NOSUID | MS_NODEV, options), "overlay");
	need(chdir("root"), "root");
	mount_on("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_on("tmpfs", "dev", MS_NOSUID, "mode=755,size=1M");
	for (size_t i = 0; i < LENGTH_OF(nodes); i++) {
		(void)snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
		(void)snprintf(to, sizeof(to), "dev/%s", nodes[i]);
		need(mknod(to, S_IFREG | 0666, 0), to);
		need(mount(from, to, NULL, MS_BIND, NULL), to);
	}
	mount_on("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
	mount_on("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, "mode=1777,size=16M");
	mount_on("tmpfs", "tmp", MS_NOSUID | MS_NODEV, "mode=1777,size=16M");
	mount_on("tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=755,size=16M");
	need(chroot("."), "chroot");
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	struct sock_filter filter[FILTER_LENGTH];
	struct sock_fprog program = {.len = FILTER_LENGTH, .filter = filter};

	for (unsigned long i = 0; i <= CAP_LAST_CAP; i++)
		need(prctl(PR_CAPBSET_DROP, i, 0, 0, 0), "bounding set");
	need((int)syscall(SYS_capset, &header, data), "capset");
	filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	for (unsigned i = 1; i < FILTER_LENGTH - 1; i++)
		filter[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5000 + i, 0, 0);
	filter[FILTER_LENGTH - 1] =
	    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), "seccomp");
}

static void become_init(int channel, int init, const char *folder)
{
	char byte;

	if (read(channel, &byte, 1) != 1) /* until the maps are written */
		_exit(1);
	need(setgroups(0, NULL), "setgroups");
	need(setresgid(0, 0, 0), "setresgid");
	need(setresuid(0, 0, 0), "setresuid");
	make_root(folder);
	drop_privileges();
	need(dup2(channel, 0), "dup2");
	(void)syscall(SYS_execveat, init, "", (char *[]){"init", NULL}, (char *[]){NULL},
		      AT_EMPTY_PATH);
	die("exec of the tiny init");
}

/* ---- outside -------------------------------------------------------------------------------- */

static void limit(const char *parent, pid_t pid)
{
	static const char *const limits[][2] = {
	    {"memory.limit_in_bytes", "268435456"},
	    {"memory.max", "268435456"},
	    {"memory.swap.max", "0"},
	    {"cpu.cfs_quota_us", "100000"},
	    {"cpu.max", "100000 100000"},
	    {"pids.max", "100"},
	};
	char folder[256], number[16];

	(void)snprintf(folder, sizeof(folder), "%s/floor", parent);
	need(mkdir(folder, 0755), folder);
	for (size_t i = 0; i < LENGTH_OF(limits); i++)
		put(folder, limits[i][0], limits[i][1]);
	(void)snprintf(number, sizeof(number), "%d", pid);
	put(folder, "cgroup.procs", number);
}

/* A cgroup is busy until the kernel has buried the last process in it. */
static void remove_cgroup(const char *parent)
{
	char folder[256];

	(void)snprintf(folder, sizeof(folder), "%s/floor", parent);
	for (int i = 0; i < 1000 && rmdir(folder) < 0; i++)
		(void)usleep(1000);
}

static int measure_cold(const char *init_path, const char *folder, char **cgroups)
{
	int ends[2], init = open(init_path, O_PATH | O_CLOEXEC);
	char path[64], byte = 0;
	double start;
	pid_t pid;

	need(init, init_path);
	start = now_us();
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
	pid = (pid_t)syscall(SYS_clone, NAMESPACES | SIGCHLD, 0, 0, 0, 0);
	need(pid, "clone");
	if (pid == 0) {
		(void)close(ends[0]);
		become_init(ends[1], init, folder);
	}
	(void)close(ends[1]);
	(void)snprintf(path, sizeof(path), "/proc/%d", pid);
	put(path, "uid_map", "0 " FIRST_ID " 65536");
	put(path, "gid_map", "0 " FIRST_ID " 65536");
	for (char **cgroup = cgroups; *cgroup; cgroup++)
		limit(*cgroup, pid);
	if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
		die("the container did not start");
	(void)printf("%.1f\n", now_us() - start);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	for (char **cgroup = cgroups; *cgroup; cgroup++)
		remove_cgroup(*cgroup);
	return 0;
}

static void spawn_and_wait(const char *program)
{
	pid_t pid;

	errno = posix_spawn(&pid, program, NULL, NULL, (char *[]){"init", NULL}, (char *[]){NULL});
	if (errno)
		die(program);
	need(waitpid(pid, NULL, 0), "waitpid");
}

static int measure_join(const char *program, const char *number)
{
	double start = now_us(), end;
	int pidfd;

	if (program)
		spawn_and_wait(program);
	pidfd = (int)syscall(SYS_pidfd_open, atoi(number), 0);
	need(pidfd, "pidfd_open");
	need(setns(pidfd, NAMESPACES), "setns");
	need(setgroups(0, NULL), "setgroups");
	need(setresgid(0, 0, 0), "setresgid");
	need(setresuid(0, 0, 0), "setresuid");
	end = now_us();
	(void)printf("%.1f\n", end - start);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "cold") == 0)
		return measure_cold(argv[2], argv[3], argv + 4);
	if (argc == 3 && strcmp(argv[1], "join") == 0)
		return measure_join(NULL, argv[2]);
	if (argc == 4 && strcmp(argv[1], "spawn-join") == 0)
		return measure_join(argv[2], argv[3]);
	(void)fprintf(stderr, "usage: floor cold|join|spawn-join ...\n");
	return 2;
}
