/* helper/registry/this_build.h - tell this build of the program from every other. */
#ifndef CARREL_HELPER_REGISTRY_THIS_BUILD_H
#define CARREL_HELPER_REGISTRY_THIS_BUILD_H

#include <stdbool.h>

/* A line's worth of text about the file that is executed: another build is another file. */
struct this_build {
	char text[160];
};

/* False when the kernel does not say (no /proc): then nothing of another run can be trusted. */
bool this_build_read(struct this_build *build);

/* The same about the program in this file. */
bool build_of_file(const char *path, struct this_build *build);

#endif
