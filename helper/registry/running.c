/* helper/registry/running.c - the record of a running container, and the proof that it runs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/files.h"
#include "base/kernel_calls.h"
#include "helper/registry/note.h"
#include "helper/registry/process.h"
#include "helper/registry/record.h"
#include "helper/registry/registry.h"

#define ADMIN_FROZEN "admin-frozen"

/* One that older records do not have. */
static uint64_t get_later_number(struct record *record, const char *key, uint64_t maximum)
{
	bool failed = record->failed;
	uint64_t number = record_get_number(record, key, maximum);

	record->failed = failed;
	return number;
}

static bool decode(struct record *record, struct running_record *out)
{
	out->pid = (pid_t)record_get_number(record, "pid", INT32_MAX);
	out->start_ticks = record_get_number(record, "start_ticks", UINT64_MAX);
	out->pidfd_inode = get_later_number(record, "pidfd_inode", UINT64_MAX);
	out->started_at = record_get_number(record, "started_at", UINT64_MAX);
	out->block = (uint32_t)record_get_number(record, "block", UINT32_MAX);
	out->namespaces = (uint32_t)record_get_number(record, "namespaces", UINT32_MAX);
	out->image_version = (uint32_t)get_later_number(record, "image_version", UINT32_MAX);
	out->allow_root = record_get_number(record, "allow_root", 1) == 1;
	record_get(record, "user", out->user, sizeof(out->user));
	out->uid = (uid_t)get_later_number(record, "uid", UINT32_MAX);
	record_get(record, "policy", out->policy, sizeof(out->policy));
	record_get(record, "image", out->image, sizeof(out->image));
	record_get(record, "pool", out->pool, sizeof(out->pool));
	record_get(record, "hostname", out->hostname, sizeof(out->hostname));
	return !record->failed && out->pid > 0;
}

/*
 * A pid may have been given to another process since: the pidfd is opened first, then its inode is
 * compared, or where that says nothing the start time of that pid, then the pidfd is asked whether
 * the process is still there. What passes all three is the process of the record: *init is its
 * pidfd, or -1. False when that cannot be told: to take a container that runs for one that does not
 * would start it a second time.
 */
static bool prove_process(const struct running_record *record, int *init)
{
	_cleanup_close_ int pidfd = pidfd_open(record->pid, 0);
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	uint64_t inode, ticks;

	if (pidfd < 0)
		return errno == ESRCH;
	inode = record->pidfd_inode ? process_pidfd_inode(pidfd) : 0;
	ticks = inode ? 0 : process_start_ticks(record->pid);
	switch (poll(&ended, 1, 0)) {
	case 0:
		break;
	case 1:
		return true;
	default:
		return false;
	}
	if (!inode && !ticks)
		return false;
	if (inode ? inode == record->pidfd_inode : ticks == record->start_ticks)
		*init = take_fd(&pidfd);
	return true;
}

static bool read_record(int dir, const char *path, const char *name, struct running_record *record,
			bool *found, struct failure *why)
{
	struct record raw;

	memset(record, 0, sizeof(*record));
	if (!record_load(dir, path, &raw, found, why)) {
		failure_prefix(why, "container '%s'", name);
		return false;
	}
	return !*found || decode(&raw, record) ||
	       fail(why, FAILURE_DATA, 0,
		    "the runtime record of '%s' is not one of ours: stop the container's "
		    "processes and remove "
		    "/run/carrel/containers/%s",
		    name, name);
}

bool registry_running(const struct registry *registry, const char *name,
		      struct running_record *record, int *init, struct failure *why)
{
	char path[80];
	bool found;

	*init = -1;
	(void)snprintf(path, sizeof(path), "%.64s/running", name);
	if (!read_record(registry->run_containers, path, name, record, &found, why))
		return false;
	return !found || prove_process(record, init) ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot tell whether container '%s' runs", name);
}

bool registry_write_running(const struct registry *registry, const char *name,
			    const struct running_record *record, struct failure *why)
{
	_cleanup_close_ int dir = dir_open_at(registry->run_containers, name, true);
	struct record raw = {0};

	if (dir < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open the runtime folder of '%s'",
			    name);
	record_put_number(&raw, "pid", (uint64_t)record->pid);
	record_put_number(&raw, "start_ticks", record->start_ticks);
	record_put_number(&raw, "pidfd_inode", record->pidfd_inode);
	record_put_number(&raw, "started_at", record->started_at);
	record_put_number(&raw, "block", record->block);
	record_put_number(&raw, "namespaces", record->namespaces);
	record_put_number(&raw, "image_version", record->image_version);
	record_put_number(&raw, "allow_root", record->allow_root);
	record_put(&raw, "user", record->user);
	record_put_number(&raw, "uid", record->uid);
	record_put(&raw, "policy", record->policy);
	record_put(&raw, "image", record->image);
	record_put(&raw, "pool", record->pool);
	record_put(&raw, "hostname", record->hostname);
	if (raw.failed)
		return fail(why, FAILURE_DATA, 0, "the runtime record of '%s' is too long", name);
	return file_replace_at(dir, "running", raw.text, raw.length, 0600, false, why);
}

void registry_forget_running(const struct registry *registry, const char *name)
{
	_cleanup_close_ int dir = dir_open_at(registry->run_containers, name, true);

	if (dir < 0)
		return;
	(void)unlinkat(dir, "running", 0);
	(void)unlinkat(dir, "control", 0);
	(void)unlinkat(dir, NOTE_FILE, 0);
	(void)unlinkat(dir, ADMIN_FROZEN, 0);
}

bool registry_is_frozen(const struct registry *registry, const char *name)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%.64s/" ADMIN_FROZEN, name);
	return faccessat(registry->run_containers, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool registry_mark_frozen(const struct registry *registry, const char *name, bool frozen,
			  struct failure *why)
{
	_cleanup_close_ int dir = dir_open_at(registry->run_containers, name, true);

	if (dir >= 0 && frozen)
		return file_replace_at(dir, ADMIN_FROZEN, "", 0, 0600, false, why);
	if (dir >= 0 && (unlinkat(dir, ADMIN_FROZEN, 0) == 0 || errno == ENOENT))
		return true;
	return fail(why, FAILURE_SYSTEM, errno, "cannot change the mark of '%s' as frozen", name);
}

void registry_clear_runtime(const struct registry *registry, const char *name)
{
	struct running_record record;
	struct failure ignored;
	_cleanup_close_ int init = -1;

	if (registry_running(registry, name, &record, &init, &ignored) && init < 0 &&
	    record.pid > 0)
		registry_release_block(registry, record.block);
	registry_forget_running(registry, name);
}

/* The folder by its descriptor: the path cannot be swapped and always fits sun_path. */
static int connect_in(int dir, int flags)
{
	_cleanup_close_ int channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/control", dir);
	if (channel < 0 || connect(channel, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return take_fd(&channel);
}

static int fail_connect(const char *name, struct failure *why)
{
	return fail_fd(why,
		       errno == ENOENT || errno == ECONNREFUSED ? FAILURE_MISSING : FAILURE_SYSTEM,
		       errno, "cannot reach carrel-init of container '%s'", name);
}

int registry_connect(const struct registry *registry, const char *name, struct failure *why)
{
	_cleanup_close_ int dir = dir_open_at(registry->run_containers, name, true);
	int channel;

	if (dir < 0)
		return fail_fd(why, errno == ENOENT ? FAILURE_MISSING : FAILURE_SYSTEM, errno,
			       "container '%s' is not running", name);
	channel = connect_in(dir, 0);
	return channel < 0 ? fail_connect(name, why) : channel;
}

int registry_connect_from_there(const struct registry *registry, const char *name,
				struct failure *why)
{
	_cleanup_close_ int channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool connected;
	int error;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.64s/control", name);
	connected = channel >= 0 && fchdir(registry->run_containers) == 0 &&
		    connect(channel, (struct sockaddr *)&address, sizeof(address)) == 0;
	error = errno;
	/* What this process starts must not begin in a directory of ours. */
	if (chdir("/") < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot go to /");
	errno = error;
	return connected ? take_fd(&channel) : fail_connect(name, why);
}

bool registry_reach(const struct registry *registry, const char *name,
		    struct running_record *record, bool *runs, int *channel, struct failure *why)
{
	_cleanup_close_ int dir = dir_open_at(registry->run_containers, name, true);
	bool found = false;

	*channel = -1;
	*runs = false;
	memset(record, 0, sizeof(*record));
	if (dir < 0)
		return errno == ENOENT || fail(why, FAILURE_SYSTEM, errno,
					       "cannot open the runtime folder of '%s'", name);
	if (!read_record(dir, "running", name, record, &found, why))
		return false;
	if (!found)
		return true;
	*channel = connect_in(dir, SOCK_NONBLOCK);
	*runs = *channel >= 0 || errno == EAGAIN;
	return true;
}

bool registry_glance(const struct registry *registry, const char *name,
		     struct running_record *record, bool *runs, bool *answers, struct note *note,
		     struct failure *why)
{
	_cleanup_close_ int dir = dir_open_at(registry->run_containers, name, true);
	bool found = false;
	char state;

	*runs = *answers = false;
	memset(record, 0, sizeof(*record));
	if (dir < 0)
		return errno == ENOENT || fail(why, FAILURE_SYSTEM, errno,
					       "cannot open the runtime folder of '%s'", name);
	if (!read_record(dir, "running", name, record, &found, why))
		return false;
	if (!found || process_look(record->pid, &state) != record->start_ticks || state == 'Z' ||
	    state == 'X')
		return true;
	*runs = true;
	*answers = state != 'T' && state != 't' && note_read(dir, NOTE_FILE, note);
	return true;
}
