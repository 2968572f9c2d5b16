/* helper/storage/loop.c - a file as a block device, for as long as it is mounted. */
#include "helper/storage/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

#define CONTROL  "/dev/loop-control"
#define ATTEMPTS 64

bool loop_exists(void)
{
	return access(CONTROL, R_OK | W_OK) == 0;
}

/* The kernel tells the name under which it was opened, or "(deleted)" after it: only a hint. */
static bool may_be(int devices, const char *device, const char *file_name)
{
	_cleanup_free_ char *backing = NULL;
	struct failure ignored;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/loop/backing_file", device);
	backing = file_read_at(devices, path, 8192, NULL, &ignored);
	return backing && strstr(backing, file_name);
}

/*
 * Opens the device; as long as it is open it stays attached. One that has just been let go answers
 * ENXIO.
 */
static int open_if_on(const char *device, const struct stat *image)
{
	_cleanup_close_ int fd = open(device, O_RDWR | O_CLOEXEC);
	struct loop_info64 info;

	if (fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0 || info.lo_inode != image->st_ino ||
	    info.lo_device != image->st_dev)
		return -1;
	return take_fd(&fd);
}

bool loop_find(int image, const char *file_name, struct loop *loop, struct failure *why)
{
	_cleanup_closedir_ DIR *devices = opendir("/sys/block");
	struct dirent *entry;
	struct stat status;

	loop->fd = -1;
	if (!devices || fstat(image, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot look at the loop devices");
	while (loop->fd < 0 && (entry = readdir(devices))) {
		unsigned number;

		if (sscanf(entry->d_name, "loop%u", &number) != 1 ||
		    !may_be(dirfd(devices), entry->d_name, file_name))
			continue;
		(void)snprintf(loop->device, sizeof(loop->device), "/dev/loop%u", number);
		loop->fd = open_if_on(loop->device, &status);
	}
	return true;
}

/* Without direct I/O every page would be in memory twice, but not every file system has it. */
static bool configure(int device, int image)
{
	struct loop_config config = {.fd = (uint32_t)image};

	config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
	if (ioctl(device, LOOP_CONFIGURE, &config) == 0)
		return true;
	if (errno != EINVAL)
		return false;
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
	return ioctl(device, LOOP_CONFIGURE, &config) == 0;
}

bool loop_attach(int image, struct loop *loop, struct failure *why)
{
	_cleanup_close_ int control = open(CONTROL, O_RDWR | O_CLOEXEC);

	loop->fd = -1;
	if (control < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open " CONTROL);
	/* Between the question and the answer somebody else may take the device. */
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		_cleanup_close_ int device = -1;
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return fail(why, FAILURE_SYSTEM, errno,
				    "there is no free loop device ('losetup --list' tells who has "
				    "them; a module option max_loop may set a bound)");
		(void)snprintf(loop->device, sizeof(loop->device), "/dev/loop%d", number);
		device = open(loop->device, O_RDWR | O_CLOEXEC);
		if (device < 0)
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot open the free loop device %s", loop->device);
		if (configure(device, image)) {
			loop->fd = take_fd(&device);
			return true;
		}
		if (errno != EBUSY)
			return fail(why, FAILURE_SYSTEM, errno, "cannot set up %s", loop->device);
	}
	return fail(why, FAILURE_BUSY, 0, "others took every free loop device: try again");
}

bool loop_resize(const struct loop *loop)
{
	return ioctl(loop->fd, LOOP_SET_CAPACITY, 0) == 0;
}
