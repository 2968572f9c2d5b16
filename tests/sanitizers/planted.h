/* tests/sanitizers/planted.h - mistakes that our own code makes, for the sanitizers to see. */
#ifndef CARREL_TESTS_SANITIZERS_PLANTED_H
#define CARREL_TESTS_SANITIZERS_PLANTED_H

#include <stdlib.h>
#include <string.h>

/*
 * The linker puts a function of each planted_*.c between one of Carrel and its callers (ld(1),
 * --wrap). It hands that one what it must not read; that it does read it, is only seen if it is
 * instrumented itself.
 */

/* A copy that was given back. The compiler is not to know. */
static inline void *freed_copy(const void *data, size_t size)
{
	void *copy = malloc(size);
	void *volatile where = copy;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	free(copy);
	return where;
}

#endif
