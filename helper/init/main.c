/* helper/init/main.c - carrel-init: become PID 1 of a new container, then look after it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "helper/init/anchor.h"
#include "helper/init/heap_place.h"
#include "helper/init/network.h"
#include "helper/init/plan_load.h"
#include "helper/init/room.h"
#include "helper/init/times.h"

#define CHANNEL_FD   0
#define NAMESPACE_FD 3

static bool say(enum channel_kind kind, int32_t value, const int *fd)
{
	struct channel_message message = {.kind = kind, .value = value};

	return channel_send(CHANNEL_FD, &message, sizeof(message), fd, fd ? 1 : 0);
}

/* Tell the helper what failed, and end. Nobody else can be told: this process has no log. */
static int give_up(const char *what)
{
	struct channel_message message = {.kind = CHANNEL_TROUBLE, .value = errno};

	(void)snprintf(message.text, sizeof(message.text), "%s", what);
	(void)channel_send(CHANNEL_FD, &message, sizeof(message), NULL, 0);
	return 1;
}

static bool hear(enum channel_kind kind, struct channel_message *message, int *fds,
		 size_t *fd_count)
{
	size_t none = 0;

	return channel_receive(CHANNEL_FD, message, sizeof(*message), fds,
			       fd_count ? fd_count : &none) == (long)sizeof(*message) &&
	       message->kind == kind;
}

/*
 * This program was executed in the host's user namespace, so its memory belongs to that one, and
 * the container's root may not trace it, read its descriptors or its root folder, as long as it is
 * not dumpable (ptrace(2), "Ptrace access mode checking"; fork keeps both properties).
 */
static bool become_containers_root(void)
{
	return setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0;
}

/*
 * prlimit(2) is not a matter of tracing: it asks whether the caller's ids are all three ids of its
 * target (check_prlimit_permission in kernel/sys.c). Nobody's group id is at once this one and the
 * effective one, so the container's root cannot take PID 1's open files or CPU time away.
 */
static bool be_like_nobody(void)
{
	const gid_t saved = 1;
	gid_t gid[3];

	return setresgid((gid_t)-1, (gid_t)-1, saved) == 0 &&
	       getresgid(&gid[0], &gid[1], &gid[2]) == 0 && gid[2] == saved && gid[1] != saved &&
	       prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0;
}

/*
 * A sibling, not a child, of this process (CLONE_PARENT): nothing of the host waits between PID 1
 * and the helper. All namespaces are made in one call, inside the user namespace, which owns them.
 */
static pid_t start_pid1(uint64_t namespaces, int *pidfd)
{
	struct clone_args arguments = {
	    .flags = namespaces | CLONE_NEWPID | CLONE_PARENT | CLONE_PIDFD,
	    .pidfd = (uintptr_t)pidfd,
	};

	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* Keep only what later sessions and the end of the container need. */
static bool drop_capabilities(void)
{
	static const int kept[] = {CAP_SYS_ADMIN,       CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER,
				   CAP_DAC_READ_SEARCH, CAP_KILL,  CAP_FSETID};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	for (size_t i = 0; i < ARRAY_LENGTH(kept); i++) {
		data[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
		data[CAP_TO_INDEX(kept[i])].effective |= CAP_TO_MASK(kept[i]);
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_capset, &header, data) == 0;
}

static bool watch_signals(struct room *room)
{
	sigset_t all, read;

	/* Nothing interrupts PID 1; the two signals that it acts on are read when it has time. */
	sigfillset(&all);
	sigemptyset(&read);
	sigaddset(&read, SIGCHLD);
	sigaddset(&read, SIGTERM);
	room->signals = sigprocmask(SIG_SETMASK, &all, NULL) < 0
			    ? -1
			    : signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK);
	return room->signals >= 0;
}

/* Descriptors of the own cgroups, for the figures on the status socket. */
static void keep_cgroups(struct room *room, int *fds)
{
	const struct channel_settings *settings = &room->settings;

	room->layout.root_count = room->cgroup.count = settings->cgroup_count;
	for (size_t i = 0; i < settings->cgroup_count; i++) {
		room->layout.roots[i].v2 = settings->cgroups[i].v2;
		room->layout.roots[i].controllers = settings->cgroups[i].controllers;
		room->cgroup.dirs[i] = fds[i];
	}
}

/* Build the inside as the helper's plan says. False when it failed; the helper was told then. */
static bool furnish(struct room *room)
{
	struct channel_message message, answer = {.kind = CHANNEL_DONE};
	int fds[CHANNEL_MAX_FDS];
	size_t count = CHANNEL_MAX_FDS;

	if (!hear(CHANNEL_PLAN, &message, fds, &count) || message.value < 0 ||
	    count != 1 + (size_t)message.value)
		return false;
	(void)plan_carry_out(fds[0], fds + 1, count - 1, &room->plan, answer.text,
			     sizeof(answer.text), &answer.result);
	if (!channel_send(CHANNEL_FD, &answer, sizeof(answer), NULL, 0) || answer.result.failed)
		return false;
	for (size_t i = 0; i < count; i++)
		cleanup_close(&fds[i]);
	return true;
}

/* Wait until the registry knows the container, and take what is needed from then on. */
static bool be_set_free(struct room *room)
{
	struct channel_message message;
	int fds[CHANNEL_MAX_FDS];
	size_t count = CHANNEL_MAX_FDS, at = 2;

	if (!hear(CHANNEL_COMMIT, &message, fds, &count) ||
	    message.settings.cgroup_count > CGROUP_MAX_ROOTS ||
	    count != at + !!message.settings.has_log + !!message.settings.has_events +
			 !!message.settings.has_used + !!message.settings.has_hold +
			 message.settings.cgroup_count)
		return false;
	room->settings = message.settings;
	room->control = fds[0];
	room->note = fds[1];
	room->relay.host = message.settings.has_log ? fds[at++] : -1;
	room->events = message.settings.has_events ? fds[at++] : -1;
	room->used = message.settings.has_used ? fds[at++] : -1;
	at += !!message.settings.has_hold;
	keep_cgroups(room, fds + at);
	(void)snprintf(room->relay.tag, sizeof(room->relay.tag), "carrel[%.64s]",
		       room->settings.name);
	room->relay.tokens = LOG_RELAY_BURST;
	room->relay.refilled = boottime_seconds();
	return true;
}

/* Most of it is room for sessions that never come: only of a mapping are those pages never made. */
static struct room *room_new(int network)
{
	struct room *room =
	    mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return NULL;
	room->plan = (struct plan_room){
	    .layer = -1, .image = -1, .overlay = -1, .log = -1, .status = -1, .network = network};
	room->control = room->events = room->used = -1;
	return room;
}

static int pid1_main(int network)
{
	struct room *room = room_new(network);

	(void)umask(022);
	if (!room || setsid() < 0 || !watch_signals(room) || !times_open(room))
		return give_up("cannot start PID 1");
	if (!furnish(room))
		return 1;
	cleanup_close(&room->plan.network);
	room->plan.network = -1;
	if (!be_like_nobody() || !drop_capabilities())
		return give_up("cannot drop the capabilities of PID 1 and set its ids apart");
	room->sessions.idle_since = boottime_ms();
	room->started_at = (uint64_t)time(NULL);
	room->sessions.last_rules = (struct session_rules)SESSION_RULES_NONE;
	if (!be_set_free(room))
		return 1;
	(void)close(CHANNEL_FD);
	/* Descriptor 0 stays taken: nothing opened later may become somebody's standard input. */
	(void)open("/dev/null", O_RDWR | O_CLOEXEC);
	room_serve(room);
	return 0;
}

/*
 * PID 1 and its namespaces. The network takes the kernel as long as all the others together: it is
 * made here, while PID 1 already carries out its plan, and joined by that.
 */
static int make_container(uint32_t namespaces)
{
	int network[2] = {-1, -1}, pidfd = -1;
	pid_t pid;

	if (namespaces & CLONE_NEWNET &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, network) < 0)
		return give_up("cannot make a socket pair");
	pid = start_pid1(namespaces & ~(uint32_t)CLONE_NEWNET, &pidfd);
	if (pid < 0)
		return give_up("cannot make the container's namespaces");
	if (pid == 0) {
		cleanup_close(&network[0]);
		return pid1_main(network[1]);
	}
	cleanup_close(&network[1]);
	if (!say(CHANNEL_STARTED, pid, &pidfd))
		return 1;
	if (namespaces & CLONE_NEWNET && !network_make(network[0]))
		return give_up("cannot make the container's network");
	return 0;
}

int main(int argc, char **argv)
{
	struct channel_message message;

	if (argc == 2 && strcmp(argv[1], "--anchor") == 0)
		return anchor_main();
	if (argc != 1 || fcntl(NAMESPACE_FD, F_GETFD) < 0) {
		static const char usage[] =
		    "carrel-init is started by Carrel's helper, not by hand\n";

		(void)file_write_all(2, usage, sizeof(usage) - 1);
		return 2;
	}
	keep_heap_near();
	tzset(); /* the host's time zone for log lines: later the container's files are in view */
	if (setns(NAMESPACE_FD, CLONE_NEWNS) < 0)
		return give_up("cannot enter the empty mount namespace");
	(void)close(NAMESPACE_FD);
	if (unshare(CLONE_NEWUSER) < 0)
		return give_up("cannot make a user namespace (is user.max_user_namespaces 0?)");
	if (!say(CHANNEL_UNSHARED, getpid(), NULL) || !hear(CHANNEL_MAPPED, &message, NULL, NULL))
		return 1;
	if (!become_containers_root())
		return give_up("cannot become the container's root");
	return make_container((uint32_t)message.value);
}
