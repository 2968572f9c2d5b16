/* tests/unit/private_mounts.h - checks that need an /etc, a /dev or a /var/log of their own. */
#ifndef CARREL_TESTS_UNIT_PRIVATE_MOUNTS_H
#define CARREL_TESTS_UNIT_PRIVATE_MOUNTS_H

#include <stdio.h>

/* For a check in a child: says what is wrong, and ends the check. */
#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,           \
				      #condition);                                                 \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/*
 * Run `check` in a child in which each of `places` (ended by NULL) is an empty tmpfs that nobody
 * else sees. The test fails unless it returns 0. Prints SKIP where mounts are not permitted.
 */
void check_with_private(const char *const *places, int (*check)(void), const char *name);

/* Write a file there: 0 or -1. */
int write_private(const char *path, const char *text);

#endif
