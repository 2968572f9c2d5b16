/* helper/seccomp/profile.c - the program for a policy, compiled or kept, as a sealed memfd. */
#include "helper/seccomp/seccomp_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "helper/seccomp/cache.h"
#include "helper/seccomp/program.h"

/* Linux 6.3; the headers of Debian 12 do not have it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

static bool get_program(int cache, const struct seccomp_rules *rules,
			struct seccomp_program *program, struct failure *why)
{
	_cleanup_free_ char *key = cache >= 0 ? cache_key(rules) : NULL;

	if (key && cache_load(cache, key, program))
		return true;
	if (!program_compile(rules, program, why))
		return false;
	if (key)
		cache_store(cache, key, program);
	return true;
}

static int open_memfd(void)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("carrel-seccomp", flags | MFD_NOEXEC_SEAL);

	/* Before 6.3; from then on a host may demand the flag (vm.memfd_noexec). */
	return fd < 0 && errno == EINVAL ? memfd_create("carrel-seccomp", flags) : fd;
}

/* Sealed: the login service may trust that what it checks is what it loads. */
static int seal_program(const struct seccomp_program *program, struct failure *why)
{
	_cleanup_close_ int fd = open_memfd();

	if (fd < 0)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot create a memfd for the seccomp program");
	if (!file_write_all(fd, program->code, program->count * sizeof(program->code[0])))
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot write the seccomp program");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot seal the seccomp program");
	if (lseek(fd, 0, SEEK_SET) != 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot rewind the seccomp program");
	return take_fd(&fd);
}

int seccomp_program_open(int cache, bool allow_root, const struct string_list *allow,
			 const struct string_list *deny, struct failure *why)
{
	const struct seccomp_rules rules = {.allow_root = allow_root, .allow = allow, .deny = deny};
	_cleanup_free_ struct seccomp_program *program = malloc(sizeof(*program));

	if (!program)
		return fail_fd(why, FAILURE_SYSTEM, errno,
			       "cannot allocate memory for the seccomp program");
	if (!get_program(cache, &rules, program, why))
		return -1;
	return seal_program(program, why);
}
