/* helper/admin/image_build.h - make a version of an image: where it comes from, and how it is kept.
 */
#ifndef CARREL_HELPER_ADMIN_IMAGE_BUILD_H
#define CARREL_HELPER_ADMIN_IMAGE_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/admin/image_progress.h"
#include "helper/registry/registry.h"
#include "helper/storage/tree_copy.h"

enum image_source_kind { SOURCE_DIRECTORY, SOURCE_TAR, SOURCE_OCI, SOURCE_DEBIAN };

struct image_source {
	enum image_source_kind kind;
	const char *text; /* as the admin gave it */
	int fd;           /* the directory or archive; -1 for debian */
	char *tag;        /* of an OCI layout, or NULL for its only image; owned */
	const char *suite;
	const char *include; /* more packages, or NULL */
};

struct image_build {
	const struct registry *registry;
	const char *name;
	struct image_source source;
	bool erofs;
	int place;       /* the folder in which all is made, BUILD_POINT for programs */
	int version;     /* ... /NUMBER */
	int rootfs;      /* ... /NUMBER/rootfs */
	uint32_t number; /* of the new version */
	uint64_t bytes;  /* that it takes */
	struct progress progress;
	struct tree_copy counts;
	bool devices_expected; /* those that are left out need not be named */
};

/*
 * Understand `--from`: a directory, an OCI layout (with ":TAG"), a tar file, "debian:SUITE"; and
 * see that the programs it needs are there. False with *why; close in any case.
 */
bool image_source_open(const char *text, const char *include, struct image_source *source,
		       struct failure *why);
void image_source_close(struct image_source *source);

/* How many steps image_source_fill takes. */
unsigned image_source_steps(const struct image_source *source);

/* Fill the empty build->rootfs and build->counts. */
bool image_source_fill(struct image_build *build, struct failure *why);

/* The single kinds of it. */
bool image_fill_directory(struct image_build *build, struct failure *why);
bool image_fill_tar(struct image_build *build, struct failure *why);
bool image_fill_oci(struct image_build *build, struct failure *why);
bool image_fill_debian(struct image_build *build, struct failure *why);
bool image_debian_check(const char *suite, const char *include, struct failure *why);
bool image_oci_check(struct failure *why);

/* Is it a root file system: /etc, and /usr or /bin/sh, and open to all users? For this machine? */
bool image_check(int rootfs, struct failure *why);

/* Make build->version/rootfs.erofs of rootfs, and remove that. */
bool image_erofs_check(struct failure *why);
bool image_erofs_make(struct image_build *build, struct failure *why);

/* Path of the new version for programs: BUILD_POINT/NUMBER/NAME. */
#define IMAGE_PATH_SIZE 64
void image_build_path(const struct image_build *build, const char *name,
		      char path[IMAGE_PATH_SIZE]);

#endif
