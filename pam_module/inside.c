/* pam_module/inside.c - in what position is the process that PAM loaded this module into? */
#include "pam_module/inside.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/paths.h"

bool inside_container(void)
{
	struct stat mark;

	return lstat(CARREL_INSIDE_MARK, &mark) == 0 && S_ISREG(mark.st_mode) && mark.st_uid == 0;
}

/* What cannot be read counts as power: the answer then is to refuse. */
static bool may_change_uid(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data) < 0)
		return true;
	return data[CAP_TO_INDEX(CAP_SETUID)].permitted & CAP_TO_MASK(CAP_SETUID);
}

enum caller caller_kind(void)
{
	uid_t real, effective, saved;

	if (getresuid(&real, &effective, &saved) < 0)
		return CALLER_ODD;
	if (effective == 0)
		return CALLER_ROOT;
	return real == 0 || saved == 0 || may_change_uid() ? CALLER_ODD : CALLER_USER;
}
