/* tests/unit/policy_dir.h - a directory of policy files for one test. */
#ifndef CARREL_TESTS_UNIT_POLICY_DIR_H
#define CARREL_TESTS_UNIT_POLICY_DIR_H

#include <stddef.h>

#include "policy/policy.h"

struct policy_dir {
	char path[64];
	int fd;
};

/* A new directory with an empty policy.d, as root would have it. */
void policy_dir_make(struct policy_dir *dir);
void policy_dir_remove(struct policy_dir *dir);

/* Write a file below it, mode 0644. */
void policy_dir_write(const struct policy_dir *dir, const char *name, const char *text);
void policy_dir_write_bytes(const struct policy_dir *dir, const char *name, const void *data,
			    size_t length);

/* Load what must load; the caller frees it. */
struct config *policy_dir_load(const struct policy_dir *dir);

/* Load what must be refused with exactly this text; the exempt part when it is wanted. */
void policy_dir_refuses(const struct policy_dir *dir, const char *text);
struct config *policy_dir_exempt(const struct policy_dir *dir, const char *text);

/* The same for one file policy.d/a.conf with this content. */
struct config *policy_text_load(const char *text);
void policy_text_refuses(const char *text, const char *message);

/* The same for carrel.conf alone. */
struct config *main_text_load(const char *text);
void main_text_refuses(const char *text, const char *message);

#endif
