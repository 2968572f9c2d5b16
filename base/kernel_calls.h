/* base/kernel_calls.h - system calls that the GNU C library wraps and a smaller one does not. */
#ifndef CARREL_BASE_KERNEL_CALLS_H
#define CARREL_BASE_KERNEL_CALLS_H

#include <errno.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __GLIBC__

#include <sys/mount.h>
#include <sys/pidfd.h>

#else

/* carrel-init and carrel-helper are linked with musl where there is one: m4/carrel_static.m4. */
#include <linux/mount.h>
#include <linux/stat.h>
#include <signal.h>

#define MNT_DETACH      2 /* umount(2) */
#define UMOUNT_NOFOLLOW 8
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0) /* rename(2) */
#define RENAME_EXCHANGE  (1 << 1)
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443 /* since Linux 5.14, the same on every architecture */
#endif

int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data); /* <sys/mount.h> and <linux/mount.h> do not go together there */

static inline int open_tree(int dir, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags);
}

static inline int move_mount(int from_dir, const char *from, int to_dir, const char *to,
			     unsigned flags)
{
	return (int)syscall(SYS_move_mount, from_dir, from, to_dir, to, flags);
}

static inline int mount_setattr(int dir, const char *path, unsigned flags, struct mount_attr *attr,
				size_t size)
{
	return (int)syscall(SYS_mount_setattr, dir, path, flags, attr, size);
}

static inline int fsopen(const char *type, unsigned flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static inline int fsconfig(int context, unsigned command, const char *key, const void *value,
			   int aux)
{
	return (int)syscall(SYS_fsconfig, context, command, key, value, aux);
}

static inline int fsmount(int context, unsigned flags, unsigned attributes)
{
	return (int)syscall(SYS_fsmount, context, flags, attributes);
}

static inline int statx(int dir, const char *path, int flags, unsigned mask, struct statx *facts)
{
	return (int)syscall(SYS_statx, dir, path, flags, mask, facts);
}

static inline int close_range(unsigned first, unsigned last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

static inline int umount2(const char *path, int flags)
{
	return (int)syscall(SYS_umount2, path, flags);
}

static inline int renameat2(int from_dir, const char *from, int to_dir, const char *to,
			    unsigned flags)
{
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static inline int pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static inline int pidfd_send_signal(int pidfd, int number, siginfo_t *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, number, info, flags);
}

#endif

/*
 * Every descriptor from this number on is closed when the process executes another program
 * (close_range(2), since Linux 5.11). Returns 0 or an errno, as posix_spawn(3) does.
 */
static inline int close_at_exec_from(unsigned first)
{
	return close_range(first, ~0u, CLOSE_RANGE_CLOEXEC) == 0 ? 0 : errno;
}

#endif
