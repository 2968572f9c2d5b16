/* helper/admin/image_fill.c - fill a new image from a directory or by tar. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/admin/image_build.h"
#include "helper/admin/image_tool.h"
#include "helper/admin/table.h"
#include "helper/admin/tree_clean.h"

#define CHECKPOINT_RECORDS "500"
#define CHECKPOINT_WORD    "read "
#define RECORD_BYTES       10240 /* tar(1), --blocking-factor */

bool image_fill_directory(struct image_build *build, struct failure *why)
{
	struct stat state;

	if (fstat(build->registry->state, &state) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat the state directory");
	progress_step(&build->progress, "copy the files");
	return tree_copy(build->source.fd, build->rootfs, &state, &build->counts, why);
}

/* tar tells how many records it has read: "read 500". */
static bool take_line(void *context, const char *line, struct failure *why)
{
	struct image_build *build = context;
	unsigned long long records;
	char detail[32], bytes[16];

	if (sscanf(line, CHECKPOINT_WORD "%llu", &records) != 1)
		return true;
	format_bytes(records * RECORD_BYTES, bytes);
	(void)snprintf(detail, sizeof(detail), "%s", bytes);
	return progress_tell(&build->progress, 0, 0, detail, why);
}

bool image_fill_tar(struct image_build *build, struct failure *why)
{
	char directory[IMAGE_PATH_SIZE], option[IMAGE_PATH_SIZE + 16];
	char *const arguments[] = {
	    (char[]){"tar"},
	    (char[]){"--extract"},
	    (char[]){"--file=/proc/self/fd/0"}, /* by path: tar sees how it is compressed */
	    option,
	    (char[]){"--numeric-owner"},
	    (char[]){"--same-owner"},
	    (char[]){"--preserve-permissions"},
	    (char[]){"--xattrs"},
	    (char[]){"--xattrs-include=*"},
	    (char[]){"--xattrs-exclude=user.overlay.*"},
	    (char[]){"--checkpoint=" CHECKPOINT_RECORDS},
	    (char[]){"--checkpoint-action=echo=" CHECKPOINT_WORD "%u"},
	    NULL,
	};
	const struct tool tool = {.path = "/usr/bin/tar",
				  .package = "tar",
				  .arguments = arguments,
				  .input = build->source.fd,
				  .line = take_line,
				  .context = build};

	image_build_path(build, "rootfs", directory);
	(void)snprintf(option, sizeof(option), "--directory=%s", directory);
	progress_step(&build->progress, "unpack the archive");
	if (!tool_run(&tool, build->place, &build->progress, why))
		return false;
	progress_step(&build->progress, "look through the files");
	return tree_clean(build->rootfs, &build->counts, why);
}

/* As it will be seen inside: a link in an image is about the image's own root. */
static int open_inside(int rootfs, const char *path, uint64_t flags)
{
	const struct open_how how = {.flags = flags | O_CLOEXEC,
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, rootfs, path, &how, sizeof(how));
}

static bool is_there(int rootfs, const char *path)
{
	_cleanup_close_ int found = open_inside(rootfs, path, O_PATH);

	return found >= 0;
}

/* The kind of machine that a program is for, as this program of ours has it for this one. */
static bool read_elf(int program, Elf64_Ehdr *header)
{
	return program >= 0 && pread(program, header, sizeof(*header), 0) == sizeof(*header) &&
	       memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

/* An image whose shell this machine cannot run would refuse every login, and not say why. */
static bool check_machine(int rootfs, struct failure *why)
{
	static const char *const shells[] = {"/bin/sh", "/usr/bin/sh", "/bin/bash", "/bin/busybox"};
	_cleanup_close_ int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr own, other;

	if (!read_elf(self, &own))
		return fail(why, FAILURE_SYSTEM, errno, "cannot read my own program");
	for (size_t i = 0; i < ARRAY_LENGTH(shells); i++) {
		_cleanup_close_ int shell = open_inside(rootfs, shells[i], O_RDONLY | O_NONBLOCK);

		if (!read_elf(shell, &other))
			continue;
		if (other.e_machine == own.e_machine &&
		    other.e_ident[EI_CLASS] == own.e_ident[EI_CLASS])
			return true;
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "its %s is for another architecture (ELF machine %u, here %u): take "
			    "one for this machine",
			    shells[i], other.e_machine, own.e_machine);
	}
	return true;
}

bool image_check(int rootfs, struct failure *why)
{
	struct stat status;

	if (!is_there(rootfs, "/etc"))
		return fail(why, FAILURE_DATA, 0,
			    "it has no /etc at its top: it is not a root file system");
	if (!is_there(rootfs, "/usr") && !is_there(rootfs, "/bin/sh"))
		return fail(why, FAILURE_DATA, 0,
			    "it has neither /usr nor /bin/sh: it is not a root file system");
	if (!check_machine(rootfs, why))
		return false;
	if (fstat(rootfs, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot stat it");
	if ((status.st_mode & 0005) == 0005 && status.st_uid == 0)
		return true;
	/* Often a directory made by mktemp -d: nobody could enter the container's root. */
	if (fchown(rootfs, 0, 0) < 0 || fchmod(rootfs, 0755) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open its root to all users");
	return true;
}
