/* helper/limits/usage_parse.c - pick one number out of a cgroup's statistics. Pure. */
#include "helper/limits/usage_parse.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

static uint64_t number(const char *text)
{
	return text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

/* The number after "key" and `separator`, when a word of the line begins so. */
static uint64_t word_value(const char *line, const char *key, char separator)
{
	size_t length = strlen(key);

	while (*line && *line != '\n') {
		if (strncmp(line, key, length) == 0 && line[length] == separator)
			return number(line + length + 1);
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	return UINT64_MAX;
}

static uint64_t sum_disks(const char *text, char separator, const char *key,
			  bool (*counts)(unsigned major, unsigned minor))
{
	uint64_t sum = 0;

	for (const char *line = text; *line; line = next_line(line)) {
		unsigned major, minor;
		uint64_t value = word_value(line, key, separator);

		if (value == UINT64_MAX || sscanf(line, "%u:%u ", &major, &minor) != 2)
			continue;
		if (!counts || counts(major, minor))
			sum += value;
	}
	return sum;
}

static uint64_t line_value(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; *line; line = next_line(line))
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return number(line + length + 1);
	return UINT64_MAX;
}

uint64_t usage_parse(const char *text, enum usage_shape shape, const char *key,
		     bool (*counts)(unsigned major, unsigned minor))
{
	switch (shape) {
	case USAGE_NUMBER:
		return number(text);
	case USAGE_LINE:
		return line_value(text, key);
	case USAGE_DISKS:
		return sum_disks(text, ' ', key, counts);
	case USAGE_DISKS_KEYS:
		return sum_disks(text, '=', key, counts);
	}
	return UINT64_MAX;
}
