/* helper/limits/mountinfo.c - split a line of mountinfo into its fields (proc_pid_mountinfo(5)). */
#include "helper/limits/mountinfo.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static bool is_octal(char digit)
{
	return digit >= '0' && digit <= '7';
}

/* The kernel writes blank, tab, newline, backslash and '#' as three octal digits (seq_path). */
static void unescape(char *text)
{
	char *out = text;

	while (*text) {
		if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) &&
		    is_octal(text[3])) {
			*out++ =
			    (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

static bool parse_line(char *text, struct mount_line *line)
{
	char *save = NULL, *fields[6], *tail[3], *field;

	for (size_t i = 0; i < 6; i++) {
		fields[i] = strtok_r(i == 0 ? text : NULL, " ", &save);
		if (!fields[i])
			return false;
	}
	/* Zero or more optional fields ("shared:1") end at a lone dash. */
	while ((field = strtok_r(NULL, " ", &save)) && strcmp(field, "-") != 0)
		;
	for (size_t i = 0; i < 3; i++) {
		tail[i] = strtok_r(NULL, " ", &save);
		if (!tail[i])
			return false;
	}
	if (sscanf(fields[0], "%lu", &line->id) != 1 ||
	    sscanf(fields[2], "%u:%u", &line->major, &line->minor) != 2)
		return false;
	unescape(fields[3]);
	unescape(fields[4]);
	unescape(tail[1]);
	line->root = fields[3];
	line->point = fields[4];
	line->options = fields[5];
	line->type = tail[0];
	line->source = tail[1];
	line->super = tail[2];
	return true;
}

bool mountinfo_next(char **cursor, struct mount_line *line)
{
	while (**cursor) {
		char *text = *cursor;
		size_t length = strcspn(text, "\n");

		*cursor = text + length + (text[length] == '\n');
		text[length] = '\0';
		if (parse_line(text, line))
			return true;
	}
	return false;
}

bool mountinfo_has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (;;) {
		size_t span = strcspn(list, ",");

		if (span == length && strncmp(list, word, length) == 0)
			return true;
		if (list[span] == '\0')
			return false;
		list += span + 1;
	}
}
