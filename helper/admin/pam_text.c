/* helper/admin/pam_text.c - the grammar of pam.conf(5), as far as adding and removing a line needs
 * it. */
#include "helper/admin/pam_text.h"

#include <string.h>

#define BLANKS " \t\r\n"

static const char *line_end(const char *line)
{
	const char *newline = strchr(line, '\n');

	return newline ? newline + 1 : line + strlen(line);
}

/* Add a piece of a physical line; what does not fit is cut, as libpam refuses such lines anyway. */
static void join_piece(char *joined, size_t size, const char *piece, size_t length)
{
	size_t used = strlen(joined);

	if (length > size - used - 1)
		length = size - used - 1;
	memcpy(joined + used, piece, length);
	joined[used + length] = '\0';
}

/*
 * Assemble a logical line as libpam does: comment lines and empty lines are skipped wherever they
 * stand, a comment ends the logical line, a backslash at the end continues it.
 */
static bool assemble(const char **cursor, struct pam_line *line, char *joined, size_t size)
{
	bool begun = false;

	joined[0] = '\0';
	while (**cursor) {
		const char *start = *cursor, *end = line_end(start);
		const char *text = start + strspn(start, BLANKS);
		size_t length;
		bool comment;

		*cursor = end;
		if (text >= end || *text == '#')
			continue;
		length = (size_t)(end - text);
		comment = memchr(text, '#', length) != NULL;
		if (comment)
			length = strcspn(text, "#");
		while (length && strchr(BLANKS, text[length - 1]))
			length--;
		if (!begun)
			line->begin = start;
		begun = true;
		line->end = end;
		if (comment || length == 0 || text[length - 1] != '\\') {
			join_piece(joined, size, text, length);
			return true;
		}
		join_piece(joined, size, text, length - 1);
		join_piece(joined, size, " ", 1);
	}
	return begun;
}

/* The next word, or a whole "[...]", moved into out. False when there is none or it does not fit.
 */
static bool next_word(const char **text, char *out, size_t size)
{
	const char *start = *text + strspn(*text, BLANKS);
	size_t length;

	if (*start == '[') {
		const char *close = strchr(start, ']');

		length = close ? (size_t)(close - start) + 1 : strlen(start);
	} else {
		length = strcspn(start, BLANKS);
	}
	*text = start + length;
	if (length == 0 || length >= size)
		return false;
	memcpy(out, start, length);
	out[length] = '\0';
	return true;
}

static bool is_our_module(const char *module)
{
	const char *slash = strrchr(module, '/');

	return strcmp(slash ? slash + 1 : module, PAM_MODULE) == 0;
}

static void classify(struct pam_line *line, const char *text)
{
	char type[64];
	const char *name = type;
	bool include, substack;

	line->type = PAM_LINE_UNKNOWN;
	if (!next_word(&text, type, sizeof(type)))
		return;
	if (strcmp(type, "@include") == 0) {
		line->includes = next_word(&text, line->module, sizeof(line->module));
		if (line->includes)
			line->type = PAM_LINE_INCLUDE;
		return;
	}
	if (!next_word(&text, line->control, sizeof(line->control)) ||
	    !next_word(&text, line->module, sizeof(line->module)))
		return;
	name += *name == '-';
	include = strcasecmp(line->control, "include") == 0;
	substack = strcasecmp(line->control, "substack") == 0;
	line->includes = include || substack;
	line->is_ours = !line->includes && is_our_module(line->module);
	if (strcasecmp(name, "session") != 0)
		line->type = PAM_LINE_OTHER;
	else
		line->type = include    ? PAM_LINE_INCLUDE
			     : substack ? PAM_LINE_SUBSTACK
					: PAM_LINE_SESSION;
	line->may_end_stack =
	    strcasecmp(line->control, "sufficient") == 0 || strstr(line->control, "=done") != NULL;
}

bool pam_line_next(const char **cursor, struct pam_line *line)
{
	char joined[1024]; /* the longest line that libpam reads */

	*line = (struct pam_line){0};
	if (!assemble(cursor, line, joined, sizeof(joined)))
		return false;
	classify(line, joined);
	return true;
}

size_t pam_text_count(const char *text, size_t *session)
{
	struct pam_line line;
	size_t count = 0;

	*session = 0;
	while (pam_line_next(&text, &line)) {
		count += line.is_ours;
		*session += line.is_ours && line.type == PAM_LINE_SESSION;
	}
	return count;
}

char *pam_text_add(const char *text, struct failure *why)
{
	size_t length = strlen(text);
	const char *last = text + length, *newline;
	size_t before, after;
	char *added;

	while (last > text && strchr(BLANKS, last[-1]))
		last--;
	if (last > text && last[-1] == '\\') {
		(void)fail(
		    why, FAILURE_DATA, 0,
		    "its last line ends in a backslash and would swallow ours; mend it first");
		return NULL;
	}
	newline = length == 0 || text[length - 1] == '\n' ? "" : "\n";
	(void)pam_text_count(text, &before);
	if (asprintf(&added, "%s%s%s", text, newline, PAM_SESSION_LINE) < 0) {
		(void)fail(why, FAILURE_SYSTEM, ENOMEM, "cannot change the text");
		return NULL;
	}
	(void)pam_text_count(added, &after);
	if (after != before + 1) { /* comments stood between that line and the end */
		(void)fail(why, FAILURE_DATA, 0,
			   "a line near its end goes on behind a backslash and would swallow ours; "
			   "mend it first");
		free(added);
		return NULL;
	}
	return added;
}

char *pam_text_remove(const char *text, bool only_session)
{
	char *kept = malloc(strlen(text) + 1), *out = kept;
	const char *cursor = text, *from = text;
	struct pam_line line;

	if (!kept)
		return NULL;
	while (pam_line_next(&cursor, &line)) {
		if (!line.is_ours || (only_session && line.type != PAM_LINE_SESSION))
			continue;
		out = mempcpy(out, from, (size_t)(line.begin - from));
		from = line.end;
	}
	memcpy(out, from, strlen(from) + 1);
	return kept;
}
