/* helper/admin/image_build.c - `carrel image build`: a new image, or a new version of one. */
#include "helper/admin/image_build.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/commands.h"
#include "helper/admin/context.h"
#include "helper/admin/image_store.h"
#include "helper/admin/image_tool.h"
#include "helper/admin/leftovers.h"
#include "helper/admin/table.h"
#include "helper/images/versions.h"

static int open_directory(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void image_build_path(const struct image_build *build, const char *name, char path[IMAGE_PATH_SIZE])
{
	(void)snprintf(path, IMAGE_PATH_SIZE, BUILD_POINT "/%u/%s", build->number, name);
}

static bool check_name(const char *name, struct failure *why)
{
	if (!name_is_valid(name))
		return fail(why, FAILURE_REQUEST, 0,
			    "'%s' is no name for an image: use a-z, 0-9, '_', '.' and '-', with a "
			    "letter or '_' first",
			    name);
	if (strcmp(name, "host") == 0)
		return fail(why, FAILURE_REQUEST, 0,
			    "'host' always means this machine's own files");
	return true;
}

/* One more than any that is or was there. */
static bool next_number(int image, uint32_t *next, struct failure *why)
{
	uint32_t *numbers;
	struct failure ignored;
	size_t count;
	bool found;

	if (!image_link_read(image, IMAGE_CURRENT, next, &found, &ignored))
		*next = 0;
	if (!image_version_list(image, &numbers, &count, why))
		return false;
	if (count && numbers[count - 1] > *next)
		*next = numbers[count - 1];
	free(numbers);
	return ++*next <= IMAGE_VERSION_MAX ||
	       fail(why, FAILURE_LIMIT, 0, "it has had too many versions: build another image");
}

static bool write_info(const struct image_build *build, struct failure *why)
{
	struct image_info info = {.created_at = (uint64_t)time(NULL), .bytes = build->bytes};
	struct utsname host;

	if (uname(&host) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot tell the machine's architecture");
	(void)snprintf(info.machine, sizeof(info.machine), "%s", host.machine);
	(void)snprintf(info.source, sizeof(info.source), "%s", build->source.text);
	return image_info_write(build->version, &info, why);
}

static void tell_left_out(void *context, const char *path, const char *what)
{
	struct image_build *build = context;

	if (build->devices_expected) {
		build->counts.left_out = 0;
		return;
	}
	progress_clear(&build->progress);
	(void)complain("left out: %s: %s", path, what);
}

static bool tell_entry(void *context, const char *path, struct failure *why)
{
	struct image_build *build = context;
	char detail[400], bytes[16];

	format_bytes(build->counts.bytes, bytes);
	(void)snprintf(detail, sizeof(detail), "%" PRIu64 " files, %s: %.300s", build->counts.files,
		       bytes, path);
	return progress_tell(&build->progress, 0, 0, detail, why);
}

/* The whole version in build->place, where nobody sees it yet. */
static bool make_version(struct image_build *build, struct failure *why)
{
	char name[IMAGE_VERSION_NAME];

	(void)snprintf(name, sizeof(name), "%u", build->number);
	if (mkdirat(build->place, name, 0700) < 0 ||
	    (build->version = open_directory(build->place, name)) < 0 ||
	    mkdirat(build->version, IMAGE_ROOTFS, 0755) < 0 ||
	    (build->rootfs = open_directory(build->version, IMAGE_ROOTFS)) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a directory for it");
	build->counts.tell = tell_left_out;
	build->counts.tick = tell_entry;
	build->counts.context = build;
	if (!image_source_fill(build, why) || !image_check(build->rootfs, why))
		return false;
	build->bytes = build->counts.bytes;
	if (build->erofs && !image_erofs_make(build, why))
		return false;
	progress_step(&build->progress, "write it to disk");
	if (!write_info(build, why))
		return false;
	/* A crash after it got its name must not leave an image with empty files in it. */
	if (syncfs(build->place) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot write it to disk");
	return !progress_stopped(&build->progress, why);
}

/* A new image gets its name at once, with its link in it. */
static bool publish_image(const struct image_build *build, const char *temporary,
			  struct failure *why)
{
	if (!image_link_write(build->place, IMAGE_CURRENT, build->number, why))
		return false;
	if (!rename_to_new_at(build->registry->state_images, temporary,
			      build->registry->state_images, build->name))
		return fail(why, FAILURE_SYSTEM, errno, "cannot give it its name");
	return true;
}

/* A version moves in beside the others; the next start takes it from the switch of the link on. */
static bool publish_version(const struct image_build *build, int image, struct failure *why)
{
	char name[IMAGE_VERSION_NAME];

	(void)snprintf(name, sizeof(name), "%u", build->number);
	if (!rename_to_new_at(build->place, name, image, name))
		return fail(why, FAILURE_SYSTEM, errno, "cannot add version %u", build->number);
	return image_switch(image, build->number, why);
}

static bool publish(const struct image_build *build, int image, const char *temporary,
		    struct failure *why)
{
	struct failure ignored;

	if (image < 0)
		return publish_image(build, temporary, why);
	if (!publish_version(build, image, why))
		return false;
	(void)tree_remove_at(build->registry->state_images, temporary, &ignored);
	return true;
}

static bool make_in(struct image_build *build, int image, const char *temporary,
		    struct failure *why)
{
	unsigned steps = image_source_steps(&build->source) + (build->erofs ? 2 : 1);
	struct failure ignored;
	bool made;

	build->place = open_directory(build->registry->state_images, temporary);
	made = build->place < 0
		   ? fail(why, FAILURE_SYSTEM, errno, "cannot open its directory")
		   : progress_begin(&build->progress, steps, why) && make_version(build, why) &&
			 publish(build, image, temporary, why);
	if (!made &&
	    faccessat(build->registry->state_images, temporary, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		progress_clear(&build->progress);
		(void)tree_remove_at(build->registry->state_images, temporary, &ignored);
	}
	progress_end(&build->progress);
	cleanup_close(&build->rootfs);
	cleanup_close(&build->version);
	cleanup_close(&build->place);
	return made;
}

/* The lock of the images is held. */
static bool build_locked(struct image_build *build, bool only_new, struct failure *why)
{
	const struct registry *registry = build->registry;
	_cleanup_close_ int image = dir_open_at(registry->state_images, build->name, true);
	char temporary[LEFTOVER_NAME_MAX];

	if (image < 0 && errno != ENOENT)
		return fail(why, FAILURE_SYSTEM, errno, "cannot open it");
	if (image >= 0 && only_new)
		return fail(why, FAILURE_BUSY, 0,
			    "there is an image '%s' already: 'carrel image build %s --from ...' "
			    "makes a new version of it, 'carrel image remove %s' removes it",
			    build->name, build->name, build->name);
	/* Before, not after: what is current now stays for a way back until the next build. */
	if (!leftovers_clear(registry->state_images, false, NULL, NULL, why) ||
	    (image >= 0 && !image_clear_unused(registry, build->name, false, NULL, NULL, why)))
		return false;
	build->number = 1;
	if ((image >= 0 && !next_number(image, &build->number, why)) ||
	    !leftover_name(LEFTOVER_NEW, build->name, temporary, why))
		return false;
	if (mkdirat(registry->state_images, temporary, 0700) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot make a directory for it");
	return make_in(build, image, temporary, why);
}

static bool build_image(struct image_build *build, const char *from, const char *include,
			bool only_new, struct failure *why)
{
	_cleanup_close_ int lock = -1;
	bool made;

	if (!check_name(build->name, why) || (build->erofs && !image_erofs_check(why)))
		return false;
	made = image_source_open(from, include, &build->source, why);
	if (made) {
		lock = leftovers_lock(build->registry->state_images, "images", why);
		made = lock >= 0 && build_locked(build, only_new, why);
	}
	image_source_close(&build->source);
	if (made)
		(void)fsync(lock);
	return made;
}

static void print_result(const struct image_build *build)
{
	const struct tree_copy *counts = &build->counts;
	char human[16];

	(void)printf("image %s: version %u: %" PRIu64 " files in %" PRIu64 " directories",
		     build->name, build->number, counts->files, counts->directories);
	format_bytes(counts->bytes, human);
	if (counts->bytes)
		(void)printf(", %s", human);
	format_bytes(build->bytes, human);
	if (build->erofs)
		(void)printf(" in %s of erofs", human);
	if (counts->left_out)
		(void)printf(", %" PRIu64 " left out", counts->left_out);
	(void)printf("\n");
	(void)fflush(stdout);
	if (counts->unmapped)
		(void)complain("warning: %" PRIu64
			       " files belong to ids above 65535, who are nobody in a container",
			       counts->unmapped);
}

/* Those that run go on with what they have: say so, or the admin wonders why nothing changes. */
static void print_running(const struct context *context, const struct image_build *build)
{
	struct failure ignored;
	size_t running = 0, same = 0;

	if (!image_running(&context->registry, build->name, &running, &ignored) ||
	    !image_version_users(&context->registry, build->name, build->number, &same, &ignored) ||
	    running <= same)
		return;
	(void)printf("%zu running container%s until the next start: see carrel image list\n",
		     running - same,
		     running - same == 1 ? " keeps its version" : "s keep their versions");
}

static int run_build(const char *word, const char *name, const char *from, const char *include,
		     bool erofs, bool only_new)
{
	struct image_build build = {.name = name,
				    .erofs = erofs,
				    .place = -1,
				    .version = -1,
				    .rootfs = -1,
				    .progress = {.signals = -1}};
	struct context context;
	struct failure why;
	bool made;

	if (!context_open(&context, &why))
		return complain("%s", why.text);
	build.registry = &context.registry;
	build.source.fd = -1;
	made = build_image(&build, from, include, only_new, &why);
	if (made) {
		admin_event(NULL, NULL, "image %s %s from %s", word, name, from);
		print_result(&build);
		print_running(&context, &build);
	}
	context_close(&context);
	return made ? output_status(STATUS_OK) : complain("image %s: %s", name, why.text);
}

int run_image_build(const struct command *command, int argc, char **argv)
{
	const char *from = NULL, *include = NULL, *format = "dir";
	const struct option_spec specs[] = {{.name = "from", .value = &from},
					    {.name = "include", .value = &include},
					    {.name = "format", .value = &format}};
	struct operands operands;
	int status =
	    options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs), 1, 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!from)
		return usage_error(command, "say what it is made --from");
	if (strcmp(format, "dir") != 0 && strcmp(format, "erofs") != 0)
		return usage_error(command, "--format is 'dir' or 'erofs', not '%s'", format);
	return run_build("build", operands.items[0], from, include, strcmp(format, "erofs") == 0,
			 false);
}

/* What there was before there were versions: a build of a new image, with the source as operand. */
int run_image_import(const struct command *command, int argc, char **argv)
{
	struct operands operands;
	int status = options_parse(command, argc, argv, NULL, 0, 2, 2, &operands);

	if (status != STATUS_GO_ON)
		return status;
	return run_build("import", operands.items[0], operands.items[1], NULL, false, true);
}
