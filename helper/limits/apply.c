/* helper/limits/apply.c - write a limit, read it back, and refuse to go on when it does not hold.
 */
#include "helper/limits/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/limits/check.h"
#include "helper/limits/control_file.h"

/* A line for each disk that has a limit: room for some fifty. */
#define FILE_SIZE 4096

enum outcome {
	HELD,
	LATER, /* refused for now: another limit has to change first */
	REFUSED
};

static enum outcome refuse(const struct limit_target *target, const struct limit_file *file,
			   enum failure_kind kind, int error, const char *did, struct failure *why)
{
	(void)fail(why, kind, error, "cannot %s %s of '%s' (cgroup hierarchy %s)", did, file->name,
		   target->name, target->root->name);
	return REFUSED;
}

static enum outcome file_missing(const struct limit_target *target, const struct limit_row *row,
				 const struct limit_file *file, const struct limits *limits,
				 struct failure *why)
{
	int error = errno;

	if (error != ENOENT)
		return refuse(target, file, FAILURE_SYSTEM, error, "open", why);
	/* Removed under our hands, not lacking: the caller may start again. */
	if (faccessat(target->dir, "cgroup.procs", F_OK, 0) < 0)
		return refuse(target, file, FAILURE_SYSTEM, error, "open", why);
	if (!limit_is_set(limits, row->limit))
		return HELD;
	if (row->limit == LIMIT_SWAP && !host_has_swap())
		return HELD;
	(void)fail(why, FAILURE_UNSUPPORTED, 0,
		   "cannot hold '%s' to its limit '%s': the kernel offers no %s in the cgroup "
		   "hierarchy %s",
		   target->name, policy_limit_name(row->limit), file->name, target->root->name);
	return REFUSED;
}

static bool write_text(int fd, const char *text)
{
	ssize_t put;

	do
		put = pwrite(fd, text, strlen(text), 0);
	while (put < 0 && errno == EINTR);
	return put >= 0;
}

static enum outcome write_refused(const struct limit_target *target, const struct limit_row *row,
				  const struct limit_file *file, const char *text,
				  struct failure *why)
{
	int error = errno;

	(void)fail(why,
		   error == EBUSY    ? FAILURE_BUSY
		   : error == EINVAL ? FAILURE_UNSUPPORTED
				     : FAILURE_SYSTEM,
		   error, "cannot write \"%s\" to %s of '%s' (limit '%s')%s", text, file->name,
		   target->name, policy_limit_name(row->limit),
		   error == EBUSY ? "; its processes use more than that and it cannot be taken "
				    "from them"
				  : "");
	return error == EINVAL ? LATER : REFUSED;
}

static enum outcome verify(int fd, const struct limit_target *target, const struct limit_row *row,
			   const struct limit_file *file, uint64_t wanted,
			   const struct limit_device *device, struct failure *why)
{
	char held[FILE_SIZE];

	if (!control_read_fd(fd, held, sizeof(held)))
		return refuse(target, file, FAILURE_SYSTEM, errno, "read", why);
	if (limit_row_agrees(row, wanted, limit_file_parse(file, held, device)))
		return HELD;
	(void)fail(why, FAILURE_UNSUPPORTED, 0,
		   "cannot hold '%s' to its limit '%s': the kernel took it for %s but holds %.*s",
		   target->name, policy_limit_name(row->limit), file->name,
		   (int)strcspn(held, "\n"), held);
	return REFUSED;
}

/* Rates of disks that the policy no longer speaks of must not stay behind. */
static enum outcome forget_devices(int fd, const struct limit_target *target,
				   const struct limit_row *row, const struct limit_file *file,
				   const char *held, const struct limit_device *keep,
				   struct failure *why)
{
	struct limit_device other;

	while (limit_file_next_device(&held, keep, &other)) {
		char text[LIMIT_TEXT_SIZE];

		limit_file_format(file, LIMIT_UNLIMITED, &other, text);
		if (!write_text(fd, text))
			return write_refused(target, row, file, text, why);
	}
	return HELD;
}

static enum outcome apply_row(const struct limit_target *target, const struct limit_row *row,
			      const struct limits *limits, const struct limit_device *device,
			      struct failure *why)
{
	const struct limit_file *file = target->root->v2 ? &row->v2 : &row->v1;
	bool per_device = file->shape == SHAPE_DEVICE || file->shape == SHAPE_DEVICE_KEY;
	bool set = limit_is_set(limits, row->limit);
	_cleanup_close_ int fd = -1;
	char text[LIMIT_TEXT_SIZE];
	uint64_t wanted;

	if (!file->name || (target->fresh && !set))
		return HELD;
	wanted = file->value(limits);
	fd = openat(target->dir, file->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return file_missing(target, row, file, limits, why);
	/* What has no word for unlimited begins with what is wanted of nearly all. */
	if (!target->fresh || !file->none) {
		char held[FILE_SIZE];

		if (!control_read_fd(fd, held, sizeof(held)))
			return refuse(target, file, FAILURE_SYSTEM, errno, "read", why);
		if (per_device &&
		    forget_devices(fd, target, row, file, held, set ? device : NULL, why) != HELD)
			return REFUSED;
		if ((per_device && !set) ||
		    limit_row_agrees(row, wanted, limit_file_parse(file, held, device)))
			return HELD;
	}
	limit_file_format(file, wanted, device, text);
	if (!write_text(fd, text))
		return write_refused(target, row, file, text, why);
	return verify(fd, target, row, file, wanted, device, why);
}

static bool is_in(enum limits_part part, const struct limit_row *row)
{
	return part == LIMITS_ALL || row->is_slow == (part == LIMITS_SLOW);
}

/*
 * On v1 memory + swap must never be less than memory (EINVAL): the one is written first when they
 * grow, the other when they shrink. What was refused is tried again after the rest.
 */
bool limits_apply(const struct limit_target *target, const struct limits *limits,
		  const struct limit_device *device, enum limits_part part, struct failure *why)
{
	bool later[LIMIT_ROW_COUNT] = {false};

	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++) {
		enum outcome outcome = HELD;

		if (is_in(part, &limit_rows[i]) &&
		    target->root->controllers & (1U << limit_rows[i].controller))
			outcome = apply_row(target, &limit_rows[i], limits, device, why);
		if (outcome == REFUSED)
			return false;
		later[i] = outcome == LATER;
	}
	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++)
		if (later[i] && apply_row(target, &limit_rows[i], limits, device, why) != HELD)
			return false;
	return true;
}
