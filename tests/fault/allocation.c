/* tests/fault/allocation.c - preloaded into a program: one request for memory of it fails. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * CARREL_FAULT is "NUMBER LOG ...": the NUMBERth request fails, counted from 0 (none when it is
 * -1). LOG gets "hit NUMBER" when it was reached, else "count NUMBER" with how many there were.
 */
static struct {
	long number, at;
	char log[256];
	int counting;
} plan;

static int fails(void)
{
	FILE *log;

	if (!plan.counting || plan.at++ != plan.number)
		return 0;
	plan.counting = 0;
	log = fopen(plan.log, "we");
	if (log) {
		(void)fprintf(log, "hit %ld\n", plan.number);
		(void)fclose(log);
	}
	errno = ENOMEM;
	return 1;
}

/* The C library's own, by the names under which it offers them to replacements. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
	return fails() ? NULL : __libc_realloc(pointer, size);
}

__attribute__((constructor)) static void begin(void)
{
	const char *words = getenv("CARREL_FAULT");

	if (words && sscanf(words, "%ld %255s", &plan.number, plan.log) == 2)
		plan.counting = 1;
}

__attribute__((destructor)) static void end(void)
{
	FILE *log;

	if (!plan.counting)
		return;
	plan.counting = 0;
	log = fopen(plan.log, "we");
	if (log) {
		(void)fprintf(log, "count %ld\n", plan.at);
		(void)fclose(log);
	}
}
