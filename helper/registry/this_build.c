/* helper/registry/this_build.c - tell this build of the program from every other. */
#include "helper/registry/this_build.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

bool this_build_read(struct this_build *build)
{
	struct stat file;

	if (stat("/proc/self/exe", &file) != 0)
		return false;
	(void)snprintf(build->text, sizeof(build->text), "build %ju %ju %jd %jd.%09ld",
		       (uintmax_t)file.st_dev, (uintmax_t)file.st_ino, (intmax_t)file.st_size,
		       (intmax_t)file.st_ctim.tv_sec, file.st_ctim.tv_nsec);
	return true;
}
