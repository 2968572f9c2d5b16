/* policy/grammar.c - the strict grammar of the files, checked before libconfuse reads them. */
#include "policy/grammar.h"

#include <stdio.h>
#include <string.h>

/* Three blocks deep is all there is (policy, bind); the rest is room for a clear message. */
#define DEEPEST 8

enum token { TOKEN_WORD, TOKEN_STRING, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_EQUALS, TOKEN_COMMA };
#define TOKEN_COUNT (TOKEN_COMMA + 1)

enum place { KEY, AFTER_KEY, AFTER_NAME, VALUE, FIRST_ITEM, AFTER_ITEM, NEXT_ITEM };
#define PLACE_COUNT (NEXT_ITEM + 1)

/* What may come where, and where it leads. 0 is "may not", so places are kept plus one. */
#define TO(place) ((place) + 1)
static const unsigned char steps[PLACE_COUNT][TOKEN_COUNT] = {
    [KEY] = {[TOKEN_WORD] = TO(AFTER_KEY), [TOKEN_CLOSE] = TO(KEY)},
    [AFTER_KEY] = {[TOKEN_EQUALS] = TO(VALUE),
		   [TOKEN_OPEN] = TO(KEY),
		   [TOKEN_WORD] = TO(AFTER_NAME),
		   [TOKEN_STRING] = TO(AFTER_NAME)},
    [AFTER_NAME] = {[TOKEN_OPEN] = TO(KEY)},
    [VALUE] = {[TOKEN_WORD] = TO(KEY), [TOKEN_STRING] = TO(KEY), [TOKEN_OPEN] = TO(FIRST_ITEM)},
    [FIRST_ITEM] = {[TOKEN_WORD] = TO(AFTER_ITEM), [TOKEN_STRING] = TO(AFTER_ITEM)},
    [AFTER_ITEM] = {[TOKEN_COMMA] = TO(NEXT_ITEM), [TOKEN_CLOSE] = TO(KEY)},
    [NEXT_ITEM] =
	{[TOKEN_WORD] = TO(AFTER_ITEM), [TOKEN_STRING] = TO(AFTER_ITEM), [TOKEN_CLOSE] = TO(KEY)},
};

static const char *const expected[PLACE_COUNT] = {
    [KEY] = "a key or \"}\" (a list is written key = { \"a\", \"b\" })",
    [AFTER_KEY] = "\"=\" or \"{\" after the key",
    [AFTER_NAME] = "\"{\" after the name",
    [VALUE] = "a value after \"=\"",
    [FIRST_ITEM] = "a value in the list (to say nothing, leave the key out)",
    [AFTER_ITEM] = "\",\" or \"}\" after the value in the list",
    [NEXT_ITEM] = "a value or \"}\" in the list",
};

struct scanner {
	const char *at, *end;
	const char *file;
	unsigned line;
	enum place place;
	unsigned open_line[DEEPEST]; /* where the open blocks and lists began */
	size_t depth;
	unsigned names; /* of blocks so far */
	FILE *out;
	struct failure *why;
};

static bool refuse_byte(struct scanner *scanner)
{
	unsigned char byte = (unsigned char)*scanner->at;

	if (byte > 0x20 && byte < 0x7f)
		return fail(scanner->why, FAILURE_POLICY, 0,
			    "%s:%u: unexpected \"%c\"; put text with such characters in \"quotes\"",
			    scanner->file, scanner->line, byte);
	return fail(scanner->why, FAILURE_POLICY, 0,
		    "%s:%u: unexpected byte 0x%02x; the file must be plain text", scanner->file,
		    scanner->line, byte);
}

/* Keep the nesting: every brace that opens is closed, and none that is not open. */
static bool nest(struct scanner *scanner, enum token token)
{
	if (token == TOKEN_OPEN) {
		if (scanner->depth == DEEPEST)
			return fail(scanner->why, FAILURE_POLICY, 0,
				    "%s:%u: blocks are nested too deeply", scanner->file,
				    scanner->line);
		scanner->open_line[scanner->depth++] = scanner->line;
	} else if (token == TOKEN_CLOSE) {
		if (scanner->depth == 0)
			return fail(scanner->why, FAILURE_POLICY, 0,
				    "%s:%u: \"}\" closes nothing; remove it, or look for one too "
				    "many above",
				    scanner->file, scanner->line);
		scanner->depth--;
	}
	return true;
}

static bool step(struct scanner *scanner, enum token token, const char *text, size_t length)
{
	unsigned next = steps[scanner->place][token];

	if (next == 0)
		return fail(scanner->why, FAILURE_POLICY, 0, "%s:%u: expected %s, found %.*s",
			    scanner->file, scanner->line, expected[scanner->place],
			    length > 40 ? 40 : (int)length, text);
	if (!nest(scanner, token))
		return false;
	scanner->place = (enum place)(next - 1);
	return true;
}

/*
 * Write a token out, a block's name with its line in front of its first character, and a number,
 * because the library would merge two blocks of the same name on the same line.
 */
static void put(struct scanner *scanner, const char *text, size_t length, size_t quote)
{
	(void)fwrite(text, 1, quote, scanner->out);
	if (scanner->place == AFTER_NAME)
		(void)fprintf(scanner->out, "%u.%u:", scanner->line, scanner->names++);
	(void)fwrite(text + quote, 1, length - quote, scanner->out);
}

static bool is_word_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("_.%-", byte));
}

static bool scan_word(struct scanner *scanner)
{
	const char *start = scanner->at;

	while (scanner->at < scanner->end && is_word_byte(*scanner->at))
		scanner->at++;
	if (!step(scanner, TOKEN_WORD, start, (size_t)(scanner->at - start)))
		return false;
	put(scanner, start, (size_t)(scanner->at - start), 0);
	return true;
}

static bool scan_symbol(struct scanner *scanner, enum token token)
{
	if (!step(scanner, token, scanner->at, 1))
		return false;
	(void)fputc(*scanner->at++, scanner->out);
	return true;
}

/* One character inside a string; with its backslash when it is escaped. */
static bool scan_character(struct scanner *scanner, char quote)
{
	const char *escapes = quote == '"' ? "\"\\nt" : "'\\";
	size_t left = (size_t)(scanner->end - scanner->at);
	unsigned char byte = (unsigned char)*scanner->at;

	if (byte == '\\') {
		if (left < 2 || scanner->at[1] == '\0' || !strchr(escapes, scanner->at[1]))
			return fail(scanner->why, FAILURE_POLICY, 0,
				    "%s:%u: after \"\\\" in a %s-quoted string only one of %s may "
				    "stand",
				    scanner->file, scanner->line,
				    quote == '"' ? "double" : "single",
				    quote == '"' ? "\" \\ n t" : "' \\");
		scanner->at += 2;
		return true;
	}
	if (byte == '$' && left > 1 && scanner->at[1] == '{')
		return fail(scanner->why, FAILURE_POLICY, 0,
			    "%s:%u: \"${\" is refused; nothing is taken from the environment, "
			    "write the value itself",
			    scanner->file, scanner->line);
	if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
		return refuse_byte(scanner);
	scanner->at++;
	return true;
}

static bool scan_string(struct scanner *scanner)
{
	const char *start = scanner->at;
	char quote = *scanner->at++;

	while (scanner->at < scanner->end && *scanner->at != quote) {
		if (*scanner->at == '\n' || *scanner->at == '\r')
			break;
		if (!scan_character(scanner, quote))
			return false;
	}
	if (scanner->at == scanner->end || *scanner->at != quote)
		return fail(scanner->why, FAILURE_POLICY, 0,
			    "%s:%u: the string is not closed on its line; add %c, and write a "
			    "line break as \\n in double quotes",
			    scanner->file, scanner->line, quote);
	scanner->at++;
	if (!step(scanner, TOKEN_STRING, start, (size_t)(scanner->at - start)))
		return false;
	put(scanner, start, (size_t)(scanner->at - start), 1);
	return true;
}

static bool scan_line_comment(struct scanner *scanner)
{
	while (scanner->at < scanner->end && *scanner->at != '\n')
		scanner->at++;
	return true;
}

static bool scan_block_comment(struct scanner *scanner)
{
	unsigned start_line = scanner->line;

	(void)fputc(' ', scanner->out);
	for (scanner->at += 2; scanner->at < scanner->end; scanner->at++) {
		if (*scanner->at == '*' && scanner->end - scanner->at > 1 &&
		    scanner->at[1] == '/') {
			scanner->at += 2;
			return true;
		}
		if (*scanner->at == '\n') {
			(void)fputc('\n', scanner->out);
			scanner->line++;
		}
	}
	return fail(scanner->why, FAILURE_POLICY, 0,
		    "%s:%u: the comment that begins here is never closed; add \"*/\"",
		    scanner->file, start_line);
}

static bool scan_slash(struct scanner *scanner)
{
	char next = scanner->end - scanner->at > 1 ? scanner->at[1] : '\0';

	if (next == '/')
		return scan_line_comment(scanner);
	if (next == '*')
		return scan_block_comment(scanner);
	return refuse_byte(scanner);
}

static bool scan_one(struct scanner *scanner)
{
	switch (*scanner->at) {
	case '\n':
		scanner->line++;
		(void)fputc(*scanner->at++, scanner->out);
		return true;
	case ' ':
	case '\t':
	case '\r':
		(void)fputc(' ', scanner->out);
		scanner->at++;
		return true;
	case '#':
		return scan_line_comment(scanner);
	case '/':
		return scan_slash(scanner);
	case '"':
	case '\'':
		return scan_string(scanner);
	case '{':
		return scan_symbol(scanner, TOKEN_OPEN);
	case '}':
		return scan_symbol(scanner, TOKEN_CLOSE);
	case '=':
		return scan_symbol(scanner, TOKEN_EQUALS);
	case ',':
		return scan_symbol(scanner, TOKEN_COMMA);
	default:
		return is_word_byte(*scanner->at) ? scan_word(scanner) : refuse_byte(scanner);
	}
}

static bool scan_end(struct scanner *scanner)
{
	if (scanner->depth > 0)
		return fail(scanner->why, FAILURE_POLICY, 0,
			    "%s:%u: the \"{\" here is never closed; add \"}\"", scanner->file,
			    scanner->open_line[scanner->depth - 1]);
	if (scanner->place != KEY)
		return fail(scanner->why, FAILURE_POLICY, 0,
			    "%s:%u: the file ends here; expected %s", scanner->file, scanner->line,
			    expected[scanner->place]);
	return true;
}

static bool scan_all(struct scanner *scanner)
{
	while (scanner->at < scanner->end)
		if (!scan_one(scanner))
			return false;
	return scan_end(scanner);
}

char *grammar_check(const char *text, size_t length, const char *file, struct failure *why)
{
	_cleanup_free_ char *clean = NULL;
	size_t clean_size = 0;
	struct scanner scanner = {
	    .at = text, .end = text + length, .file = file, .line = 1, .why = why};
	bool ok, lost;

	scanner.out = open_memstream(&clean, &clean_size);
	if (!scanner.out) {
		(void)fail(why, FAILURE_SYSTEM, errno, "cannot read %s", file);
		return NULL;
	}
	ok = scan_all(&scanner);
	lost = ferror(scanner.out) != 0;
	if (fclose(scanner.out) != 0 || lost) {
		if (ok)
			(void)fail(why, FAILURE_SYSTEM, ENOMEM, "cannot read %s", file);
		return NULL;
	}
	return ok ? take_ptr(clean) : NULL;
}
