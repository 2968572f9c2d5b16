/* helper/storage/project_quota.c - project quotas of ext4 and xfs, by descriptor. */
#include "helper/storage/project_quota.h"
#include "base/kernel_calls.h"

#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In glibc without a function; since Linux 5.14. No path, so nothing can be swapped under us. */
static int quotactl_fd(int fd, unsigned command, uint32_t id, void *data)
{
	return (int)syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), id, data);
}

bool project_quota_in_force(int fd, struct failure *why)
{
	struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};

	if (quotactl_fd(fd, Q_XGETQSTATV, 0, &state) < 0) {
		if (errno != ENOSYS && errno != EINVAL && errno != ENOTTY && errno != ESRCH &&
		    errno != EOPNOTSUPP)
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot ask for the project quotas of state_dir");
		state.qs_flags = 0;
	}
	if (state.qs_flags & FS_QUOTA_PDQ_ENFD)
		return true;
	return fail(why, FAILURE_UNSUPPORTED, 0,
		    "project quotas are %s on the file system of state_dir: it must be ext4 (made "
		    "or tuned with -O quota,project) or xfs, mounted with prjquota",
		    state.qs_flags & FS_QUOTA_PDQ_ACCT ? "counted but not enforced" : "off");
}

bool project_quota_get(int fd, uint32_t project, struct storage_facts *facts)
{
	struct if_dqblk quota;

	if (quotactl_fd(fd, Q_GETQUOTA, project, &quota) < 0) {
		if (errno != ENOENT && errno != ESRCH) /* xfs: nothing is known of this project */
			return false;
		memset(&quota, 0, sizeof(quota));
	}
	*facts = (struct storage_facts){
	    .disk_bytes = quota.dqb_curspace,
	    .disk_limit_bytes =
		quota.dqb_bhardlimit ? quota.dqb_bhardlimit * QIF_DQBLKSIZE : UINT64_MAX,
	    .inodes = quota.dqb_curinodes,
	    .inode_limit = quota.dqb_ihardlimit ? quota.dqb_ihardlimit : UINT64_MAX,
	};
	return true;
}

bool project_quota_set(int fd, uint32_t project, const struct storage_wish *wish)
{
	struct if_dqblk quota = {
	    .dqb_bhardlimit = wish->disk / QIF_DQBLKSIZE,
	    .dqb_ihardlimit = wish->inodes,
	    .dqb_valid = QIF_LIMITS,
	};

	return quotactl_fd(fd, Q_SETQUOTA, project, &quota) == 0;
}

uint32_t project_of(int folder)
{
	struct fsxattr attributes;

	if (ioctl(folder, FS_IOC_FSGETXATTR, &attributes) < 0 ||
	    !(attributes.fsx_xflags & FS_XFLAG_PROJINHERIT))
		return 0;
	return attributes.fsx_projid;
}

bool project_join(int folder, uint32_t project)
{
	struct fsxattr attributes;

	if (ioctl(folder, FS_IOC_FSGETXATTR, &attributes) < 0)
		return false;
	attributes.fsx_projid = project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(folder, FS_IOC_FSSETXATTR, &attributes) == 0;
}
