/* helper/limits/mountinfo.h - read the lines of /proc/self/mountinfo. Pure. */
#ifndef CARREL_HELPER_LIMITS_MOUNTINFO_H
#define CARREL_HELPER_LIMITS_MOUNTINFO_H

#include <stdbool.h>

struct mount_line {
	unsigned long id;
	unsigned major, minor;
	const char *root;    /* the directory of the file system that is seen at `point` */
	const char *point;   /* where it is mounted */
	const char *options; /* of this mount: "rw,nosuid,..." */
	const char *type;
	const char *source;
	const char *super; /* options of the file system */
};

/*
 * Take the next well-formed line from *cursor, which is written over: the fields point into it,
 * with the kernel's octal escapes (\040 for a blank) undone. False at the end of the text.
 */
bool mountinfo_next(char **cursor, struct mount_line *line);

/* Is `word` one of the comma-separated words of `list`? */
bool mountinfo_has_word(const char *list, const char *word);

#endif
