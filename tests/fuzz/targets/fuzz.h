/* targets/fuzz.h - what the targets share. */
#ifndef CARREL_TESTS_FUZZ_H
#define CARREL_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls it with one input after the other. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is promised of every input that was accepted. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__,        \
				      #condition);                                                 \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Every byte of it, those between members too. */
static inline bool fuzz_is_zero(const void *data, size_t size)
{
	const unsigned char *bytes = data;

	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* A copy of just that size, so that AddressSanitizer sees a read behind its end; caller frees. */
static inline void *fuzz_copy(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	MUST(copy);
	memcpy(copy, data, size);
	return copy;
}

/* The same with a NUL behind it. The text ends at the first one. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/*
 * Inputs of several parts are readable: a line "--" stands between them. Takes the next part off as
 * a text; "" when there are no more; caller frees.
 */
static inline char *fuzz_part(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memmem(*data, *size, "\n--\n", 4) : NULL;
	size_t length = end ? (size_t)(end - *data) : *size;
	char *part = fuzz_text(*data, length);

	*data += end ? length + 4 : length;
	*size -= end ? length + 4 : length;
	return part;
}

/* No byte that a terminal would obey. */
static inline int fuzz_is_plain(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (*at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
			return 0;
	return 1;
}

#endif
