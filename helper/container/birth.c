/* helper/container/birth.c - bring carrel-init into the world as PID 1 of new namespaces. */
#include "helper/container/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "base/paths.h"

/* carrel-init answers in milliseconds; a machine that swaps may need longer, one that hangs never.
 */
#define ANSWER_SECONDS 30

/* What carrel-init needs of our memory until it is executed. */
struct nursery {
	int channel, empty_namespace;
	int error; /* that it could not be executed */
	char stack[16384] __attribute__((aligned(16)));
};

/* dup2 leaves a descriptor that is there already as it is, to be closed on execution. */
static bool take_place(int fd, int place)
{
	return dup2(fd, place) == place && fcntl(place, F_SETFD, 0) == 0;
}

/*
 * Runs beside us in our memory, and leaves nothing there but `error`; and errno, when it fails,
 * which then ends the start anyway. The namespace to 3 last: the channel may be 3 itself.
 */
static int become_init(void *argument)
{
	struct nursery *nursery = argument;
	char *const argv[] = {(char[]){"carrel-init"}, NULL};
	char *const environment[] = {NULL};

	if (take_place(nursery->channel, 0) && take_place(nursery->empty_namespace, 3) &&
	    close_range(4, ~0U, 0) == 0)
		(void)execve(CARREL_INIT, argv, environment);
	nursery->error = errno;
	_exit(127);
}

/*
 * As vfork(2), without waiting for the execution, which takes as long as making half of the
 * cgroups. No program that starts containers handles signals, which would run in the memory of
 * both.
 */
static bool spawn_init(struct birth *birth, int channel, int empty_namespace, struct failure *why)
{
	struct nursery *nursery = malloc(sizeof(*nursery));

	birth->nursery = nursery;
	if (!nursery)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot start carrel-init");
	nursery->channel = channel;
	nursery->empty_namespace = empty_namespace;
	nursery->error = 0;
	birth->outer = clone(become_init, nursery->stack + sizeof(nursery->stack),
			     CLONE_VM | SIGCHLD, nursery);
	return birth->outer > 0 || fail(why, FAILURE_SYSTEM, errno, "cannot start carrel-init");
}

/* The channel was closed before a word came. */
static bool find_why(const struct birth *birth, struct failure *why)
{
	if (birth->nursery->error)
		return fail(why, FAILURE_SYSTEM, birth->nursery->error,
			    "cannot start " CARREL_INIT ": reinstall Carrel");
	return fail(why, FAILURE_SYSTEM, 0,
		    "carrel-init ended while the container was built: see the kernel log for "
		    "an out-of-memory kill, and the memory limit of the policy");
}

static bool hear(const struct birth *birth, enum channel_kind kind, struct channel_message *message,
		 int *fd, struct failure *why)
{
	size_t count = fd ? 1 : 0;
	long length = channel_receive(birth->channel, message, sizeof(*message), fd, &count);

	if (length == 0)
		return find_why(birth, why);
	if (length < 0)
		return fail(why, FAILURE_SYSTEM, errno == EAGAIN ? ETIMEDOUT : errno,
			    "carrel-init did not answer");
	if (length != (long)sizeof(*message))
		return fail(why, FAILURE_DATA, 0, "carrel-init is not of this version: reinstall");
	message->text[sizeof(message->text) - 1] = '\0';
	if (message->kind == CHANNEL_TROUBLE)
		return fail(why, FAILURE_SYSTEM, message->value, "%s", message->text);
	if (message->kind != kind || (fd && count != 1))
		return fail(why, FAILURE_DATA, 0, "carrel-init is not of this version: reinstall");
	return true;
}

static bool say(const struct birth *birth, enum channel_kind kind, int32_t value,
		struct failure *why)
{
	struct channel_message message = {.kind = kind, .value = value};

	return channel_send(birth->channel, &message, sizeof(message), NULL, 0) ||
	       fail(why, FAILURE_SYSTEM, errno, "carrel-init does not listen");
}

bool birth_start(struct birth *birth, int empty_namespace, struct failure *why)
{
	const struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	int pair[2];
	bool spawned;

	*birth = (struct birth)BIRTH_NONE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a socket pair");
	birth->channel = pair[0];
	(void)setsockopt(birth->channel, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	spawned = spawn_init(birth, pair[1], empty_namespace, why);
	(void)close(pair[1]);
	return spawned;
}

static bool open_user_namespace(struct birth *birth, struct failure *why)
{
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", birth->outer);
	birth->user_namespace = open(path, O_RDONLY | O_CLOEXEC);
	return birth->user_namespace >= 0 ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot open the container's user namespace");
}

static bool write_map(const struct birth *birth, const char *file, const struct id_map *map,
		      struct failure *why)
{
	_cleanup_free_ char *text = id_map_text(map);
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", birth->outer, file);
	if (!text || !file_write_at(AT_FDCWD, path, text))
		return fail(why, FAILURE_SYSTEM, errno, "cannot write the %s of the container",
			    file);
	return true;
}

/*
 * Under memory pressure inside, PID 1 should be among the last to be killed, since all end with it,
 * but not exempt: a cgroup in which nothing may be killed would hang. An inherited -1000 is undone.
 */
static void set_oom_score(const struct birth *birth)
{
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", birth->outer);
	(void)file_write_at(AT_FDCWD, path, "-500");
}

bool birth_admit(struct birth *birth, const struct id_map *uids, const struct id_map *gids,
		 const struct cgroup_layout *layout, const struct cgroup *cgroup,
		 uint32_t namespaces, struct failure *why)
{
	struct channel_message message;

	if (!hear(birth, CHANNEL_UNSHARED, &message, NULL, why) || !open_user_namespace(birth, why))
		return false;
	set_oom_score(birth);
	return write_map(birth, "uid_map", uids, why) && write_map(birth, "gid_map", gids, why) &&
	       cgroup_attach(layout, cgroup, birth->outer, NULL, why) &&
	       say(birth, CHANNEL_MAPPED, (int32_t)namespaces, why);
}

bool birth_meet(struct birth *birth, struct failure *why)
{
	struct channel_message message;

	if (!hear(birth, CHANNEL_STARTED, &message, &birth->pidfd, why))
		return false;
	birth->pid = message.value;
	return true;
}

static void bury_outer(struct birth *birth)
{
	while (waitpid(birth->outer, NULL, 0) < 0 && errno == EINTR)
		;
	birth->outer = -1;
}

struct proc_mount {
	int mount;
	int error;
};

static int mount_proc(void *argument)
{
	struct proc_mount *proc = argument;
	int context = fsopen("proc", FSOPEN_CLOEXEC);

	proc->mount = -1;
	if (context >= 0 && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		proc->mount = fsmount(context, FSMOUNT_CLOEXEC,
				      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	proc->error = errno;
	if (context >= 0)
		(void)close(context);
	return 0;
}

/* Run mount_proc in a child that shares memory and descriptors, as vfork does: no copy is made. */
static bool in_child(struct proc_mount *proc)
{
	char stack[16384] __attribute__((aligned(16)));
	pid_t child = clone(mount_proc, stack + sizeof(stack),
			    CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, proc);

	if (child < 0)
		return false;
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}

int birth_mount_proc(const struct birth *birth, struct failure *why)
{
	_cleanup_close_ int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	struct proc_mount proc = {.mount = -1};
	bool ran;

	if (own < 0 || setns(birth->pidfd, CLONE_NEWPID) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot look into the PID namespace");
	ran = in_child(&proc);
	if (setns(own, CLONE_NEWPID) < 0 && proc.mount >= 0) {
		proc.error = errno;
		cleanup_close(&proc.mount);
		proc.mount = -1;
	}
	if (!ran || proc.mount < 0)
		return fail_fd(why, FAILURE_SYSTEM, proc.error ? proc.error : errno,
			       "cannot mount the container's /proc");
	return proc.mount;
}

int plan_memfd(const struct plan *plan, struct failure *why)
{
	_cleanup_close_ int memfd = memfd_create("carrel-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	_cleanup_free_ void *bytes = NULL;
	size_t length;

	bytes = plan_finish(plan, &length, why);
	if (!bytes)
		return -1;
	if (memfd < 0 || !file_write_all(memfd, bytes, length) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot write the container's plan");
	return take_fd(&memfd);
}

bool birth_furnish(struct birth *birth, const struct plan *plan, struct failure *why)
{
	struct channel_message message = {.kind = CHANNEL_PLAN, .value = (int32_t)plan->fd_count};
	_cleanup_close_ int memfd = plan_memfd(plan, why);
	int fds[CHANNEL_MAX_FDS];

	if (memfd < 0)
		return false;
	if (1 + plan->fd_count > ARRAY_LENGTH(fds))
		return fail(why, FAILURE_LIMIT, 0, "the container has too many mounts");
	fds[0] = memfd;
	memcpy(fds + 1, plan->fds, plan->fd_count * sizeof(int));
	return channel_send(birth->channel, &message, sizeof(message), fds, 1 + plan->fd_count) ||
	       fail(why, FAILURE_SYSTEM, errno, "carrel-init does not take its plan");
}

bool birth_finish(struct birth *birth, struct failure *why)
{
	struct channel_message message;

	if (!hear(birth, CHANNEL_DONE, &message, NULL, why))
		return false;
	if (message.result.failed)
		return fail(why, FAILURE_SYSTEM, 0, "inside the container: %s", message.text);
	bury_outer(birth);
	return true;
}

bool birth_commit(struct birth *birth, const struct channel_settings *settings, const int *given,
		  size_t given_count, struct failure *why)
{
	struct channel_message message = {.kind = CHANNEL_COMMIT, .settings = *settings};

	return channel_send(birth->channel, &message, sizeof(message), given, given_count) ||
	       fail(why, FAILURE_SYSTEM, errno, "carrel-init does not listen");
}

void birth_close(struct birth *birth)
{
	cleanup_close(&birth->channel); /* one that was not committed ends at this */
	cleanup_close(&birth->pidfd);
	cleanup_close(&birth->user_namespace);
	if (birth->outer > 0) {
		(void)kill(birth->outer, SIGKILL);
		(void)waitpid(birth->outer, NULL, 0);
	}
	free(birth->nursery);
}
