/* tests/bench/floor.c - the same work of the kernel with nothing around it: what nobody can beat.
 */

/*
 *	floor cold TINY_INIT FOLDER host|overlay CGROUP...   a container made and joined
 *	floor idle COUNT TINY_INIT FOLDER host|overlay CGROUP...   so many, kept until the input
 *ends floor join PID                                       into the namespaces of a running one
 *	floor spawn-join TINY_INIT PID                       the same after starting a program
 *
 * Prints microseconds. FOLDER has lower, root, upper and work; the last three are the first mapped
 * id's; each CGROUP is a directory, in which one is made for the container, with limits, and
 * removed after. The namespaces, mounts and limits are those of a container of Carrel, whose
 * mountinfo is the model; that of "host" is a tmpfs with the machine's folders, as image = "host"
 * has it. No policy, no checks, no account, no log, no session, no program but PID 1: the
 * difference to Carrel is what those cost.
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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/* In the order in which they are made; of type NULL: the machine's file or folder at this place. */
struct piece {
	const char *type, *place, *options;
	unsigned long flags;
};

static const struct piece common[] = {
    {"proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {NULL, "proc/keys", "/dev/null", 0},
    {NULL, "proc/timer_list", "/dev/null", 0},
    {NULL, "proc/acpi", "empty", MS_RDONLY},
    {NULL, "proc/sys", "proc/sys", MS_RDONLY},
    {NULL, "proc/bus", "proc/bus", MS_RDONLY},
    {NULL, "proc/fs", "proc/fs", MS_RDONLY},
    {NULL, "proc/irq", "proc/irq", MS_RDONLY},
    {NULL, "dev/null", "/dev/null", 0},
    {NULL, "dev/zero", "/dev/zero", 0},
    {NULL, "dev/full", "/dev/full", 0},
    {NULL, "dev/random", "/dev/random", 0},
    {NULL, "dev/urandom", "/dev/urandom", 0},
    {NULL, "dev/tty", "/dev/tty", 0},
    {"devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620", MS_NOSUID | MS_NOEXEC},
    {"tmpfs", "tmp", "mode=1777,size=16M", MS_NOSUID | MS_NODEV},
    {NULL, "dev/shm", "tmp/shm", 0},
    {NULL, "run", "tmp/run", 0},
    {"mqueue", "dev/mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {NULL, "sys/devices/system/cpu", "/sys/devices/system/cpu", MS_RDONLY},
    {NULL, "sys/devices/system/node", "/sys/devices/system/node", MS_RDONLY},
    {"cgroup2", "sys/fs/cgroup", NULL, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {NULL, "var/tmp", "../upper", 0},
    {NULL, "home/user", "../upper", 0},
};

static const struct piece of_overlay[] = {
    {"tmpfs", "dev", "mode=755,size=1M", MS_NOSUID | MS_NOEXEC},
};

static const struct piece of_host[] = {
    {NULL, "usr", "/usr", MS_RDONLY},
    {NULL, "opt", "/opt", MS_RDONLY},
    {NULL, "etc", "/etc", MS_RDONLY},
};

/* What a first login finds made in its layer is made here each time. */
static void make_place(const struct piece *piece)
{
	char path[64];
	struct stat status;

	if (!piece->type && piece->options[0] != '/')
		(void)mkdir(piece->options, 0755); /* one of /proc is there */
	if (strncmp(piece->place, "proc/", 5) == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s", piece->place);
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	if (!piece->type && stat(piece->options, &status) == 0 && !S_ISDIR(status.st_mode))
		(void)mknod(path, S_IFREG | 0666, 0);
	else
		(void)mkdir(path, 0755);
}

static void bind_one(const struct piece *piece)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	int clone =
	    open_tree(AT_FDCWD, piece->options, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	need(clone, piece->options);
	if (piece->flags & MS_RDONLY)
		need(mount_setattr(clone, "", AT_EMPTY_PATH | AT_RECURSIVE, &read_only,
				   sizeof(read_only)),
		     piece->place);
	need(move_mount(clone, "", AT_FDCWD, piece->place, MOVE_MOUNT_F_EMPTY_PATH), piece->place);
	(void)close(clone);
}

static void make(const struct piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		make_place(&pieces[i]);
		if (pieces[i].type)
			need(mount(pieces[i].type, pieces[i].place, pieces[i].type, pieces[i].flags,
				   pieces[i].options),
			     pieces[i].place);
		else
			bind_one(&pieces[i]);
	}
}

static void make_root(const char *folder, bool overlay)
{
	char options[1024];

	need(chdir(folder), folder);
	(void)snprintf(options, sizeof(options),
		       "userxattr,lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", folder,
		       folder, folder);
	if (overlay)
		need(mount("overlay", "root", "overlay", MS_NOSUID | MS_NODEV, options), "overlay");
	else
		need(mount("tmpfs", "root", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1M"),
		     "root");
	need(chdir("root"), "root");
	if (overlay)
		make(of_overlay, LENGTH_OF(of_overlay));
	else
		make(of_host, LENGTH_OF(of_host));
	make(common, LENGTH_OF(common));
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

static void become_init(int channel, int init, const char *folder, bool overlay)
{
	char byte;

	if (read(channel, &byte, 1) != 1) /* until the maps are written */
		_exit(1);
	need(setgroups(0, NULL), "setgroups");
	need(setresgid(0, 0, 0), "setresgid");
	need(setresuid(0, 0, 0), "setresuid");
	make_root(folder, overlay);
	drop_privileges();
	need(dup2(channel, 0), "dup2");
	(void)syscall(SYS_execveat, init, "", (char *[]){"init", NULL}, (char *[]){NULL},
		      AT_EMPTY_PATH);
	die("exec of the tiny init");
}

/* ---- outside -------------------------------------------------------------------------------- */

struct order {
	int init;
	const char *folder;
	bool overlay;
	char **cgroups;
};

static void attach(const char *parent, int number, pid_t pid)
{
	char folder[256], text[16];

	(void)snprintf(folder, sizeof(folder), "%s/floor%d", parent, number);
	(void)snprintf(text, sizeof(text), "%d", pid);
	put(folder, "cgroup.procs", text);
}

static void limit(const char *parent, int number)
{
	static const char *const limits[][2] = {
	    {"memory.limit_in_bytes", "268435456"},
	    {"memory.memsw.limit_in_bytes", "268435456"},
	    {"memory.max", "268435456"},
	    {"memory.swap.max", "0"},
	    {"cpu.cfs_quota_us", "100000"},
	    {"cpu.max", "100000 100000"},
	    {"pids.max", "100"},
	};
	char folder[256];

	(void)snprintf(folder, sizeof(folder), "%s/floor%d", parent, number);
	need(mkdir(folder, 0755), folder);
	for (size_t i = 0; i < LENGTH_OF(limits); i++)
		put(folder, limits[i][0], limits[i][1]);
}

/* A cgroup is busy until the kernel has buried the last process in it. */
static void remove_cgroups(char **parents, int number)
{
	char folder[256];

	for (char **parent = parents; *parent; parent++) {
		(void)snprintf(folder, sizeof(folder), "%s/floor%d", *parent, number);
		for (int i = 0; i < 1000 && rmdir(folder) < 0; i++)
			(void)usleep(1000);
	}
}

/* Ends when the channel that it returns is closed. */
static int start(const struct order *order, int number, pid_t *pid)
{
	int ends[2];
	char path[64], byte = 0;

	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
	*pid = (pid_t)syscall(SYS_clone, NAMESPACES | SIGCHLD, 0, 0, 0, 0);
	need(*pid, "clone");
	if (*pid == 0) {
		(void)close(ends[0]);
		become_init(ends[1], order->init, order->folder, order->overlay);
	}
	(void)close(ends[1]);
	(void)snprintf(path, sizeof(path), "/proc/%d", *pid);
	put(path, "uid_map", "0 " FIRST_ID " 65536");
	put(path, "gid_map", "0 " FIRST_ID " 65536");
	for (char **cgroup = order->cgroups; *cgroup; cgroup++) {
		limit(*cgroup, number);
		attach(*cgroup, number, *pid);
	}
	if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
		die("the container did not start");
	return ends[0];
}

static void join(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	need(pidfd, "pidfd_open");
	need(setns(pidfd, NAMESPACES), "setns");
	need(setgroups(0, NULL), "setgroups");
	need(setresgid(0, 0, 0), "setresgid");
	need(setresuid(0, 0, 0), "setresuid");
	(void)close(pidfd);
}

/* In a child, which is in the container's cgroups and namespaces at the end and ends with it. */
static int measure_cold(const struct order *order)
{
	pid_t login = fork(), pid;
	double begun;
	int status;

	need(login, "fork");
	if (login == 0) {
		begun = now_us();
		(void)start(order, 0, &pid);
		for (char **cgroup = order->cgroups; *cgroup; cgroup++)
			attach(*cgroup, 0, getpid());
		join(pid);
		(void)printf("%.1f\n", now_us() - begun);
		exit(0);
	}
	need(waitpid(login, &status, 0), "waitpid");
	remove_cgroups(order->cgroups, 0);
	return status == 0 ? 0 : 1;
}

static int measure_idle(const struct order *order, int count)
{
	struct rlimit files;
	char byte;
	pid_t pid = -1;

	need(getrlimit(RLIMIT_NOFILE, &files), "RLIMIT_NOFILE");
	files.rlim_cur = files.rlim_max; /* a channel each */
	need(setrlimit(RLIMIT_NOFILE, &files), "RLIMIT_NOFILE");
	for (int i = 0; i < count; i++)
		(void)start(order, i, &pid);
	(void)printf("%d\n", pid);
	(void)fflush(stdout);
	(void)!read(0, &byte, 1);
	(void)close_range(3, ~0U, 0);
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < count; i++)
		remove_cgroups(order->cgroups, i);
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
	double begun = now_us();

	if (program)
		spawn_and_wait(program);
	join(atoi(number));
	(void)printf("%.1f\n", now_us() - begun);
	return 0;
}

static struct order order_of(char **words)
{
	struct order order = {.init = open(words[0], O_PATH | O_CLOEXEC),
			      .folder = words[1],
			      .overlay = strcmp(words[2], "overlay") == 0,
			      .cgroups = words + 3};

	need(order.init, words[0]);
	return order;
}

int main(int argc, char **argv)
{
	struct order order;

	if (argc >= 5 && strcmp(argv[1], "cold") == 0) {
		order = order_of(argv + 2);
		return measure_cold(&order);
	}
	if (argc >= 6 && strcmp(argv[1], "idle") == 0) {
		order = order_of(argv + 3);
		return measure_idle(&order, atoi(argv[2]));
	}
	if (argc == 3 && strcmp(argv[1], "join") == 0)
		return measure_join(NULL, argv[2]);
	if (argc == 4 && strcmp(argv[1], "spawn-join") == 0)
		return measure_join(argv[2], argv[3]);
	(void)fprintf(stderr, "usage: floor cold|idle|join|spawn-join ...\n");
	return 2;
}
