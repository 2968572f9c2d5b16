/* helper/registry/build_of_file.c - tell a build of a program from every other. */
#include "helper/registry/this_build.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

bool build_of_file(const char *path, struct this_build *build)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return false;
	(void)snprintf(build->text, sizeof(build->text), "build %ju %ju %jd %jd.%09ld",
		       (uintmax_t)file.st_dev, (uintmax_t)file.st_ino, (intmax_t)file.st_size,
		       (intmax_t)file.st_ctim.tv_sec, file.st_ctim.tv_nsec);
	return true;
}
