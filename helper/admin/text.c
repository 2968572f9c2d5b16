/* helper/admin/text.c - numbers, times and foreign text as a person wants to see them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper/admin/table.h"

/* Length of the well-formed UTF-8 character at `text` (RFC 3629), 0 when there is none. */
static size_t utf8_length(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	uint32_t point = text[0] & (0xffu >> (length + 1));

	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	return point < 0xa0 ? 0 : length; /* U+0080 to U+009F drive terminals as well */
}

void text_make_safe(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (const unsigned char *byte = (const unsigned char *)text; *byte;) {
		char escaped[5];
		const void *piece = byte;
		size_t step = 1, length;

		if (*byte >= 0x80)
			step = utf8_length(byte);
		length = step;
		if (step == 0 || *byte < 0x20 || *byte == 0x7f) {
			length = (size_t)snprintf(escaped, sizeof(escaped), "\\x%02x", *byte);
			piece = escaped;
			step = 1;
		}
		if (used + length >= size)
			break;
		memcpy(out + used, piece, length);
		used += length;
		byte += step;
	}
	out[used] = '\0';
}

size_t text_width(const char *safe_text)
{
	size_t width = 0;

	for (const char *byte = safe_text; *byte; byte++)
		width += ((unsigned char)*byte & 0xc0) != 0x80;
	return width;
}

void format_bytes(uint64_t bytes, char out[16])
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	if (bytes == UINT64_MAX) {
		(void)snprintf(out, 16, "-");
		return;
	}
	/* 999.95 would be printed as 1000.0: go to the next unit before it gets so wide. */
	while (value >= (unit < 0 ? 1024 : 999.5) && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		(void)snprintf(out, 16, "%u", (unsigned)bytes);
	else if (value >= 9.95 || value == (double)(int)value)
		(void)snprintf(out, 16, "%.0f%c", value, units[unit]);
	else
		(void)snprintf(out, 16, "%.1f%c", value, units[unit]);
}

void format_clock(uint64_t seconds, char out[32])
{
	uint64_t hours = seconds / 3600;
	unsigned minutes = (unsigned)(seconds / 60 % 60), rest = (unsigned)(seconds % 60);

	if (seconds == UINT64_MAX)
		(void)snprintf(out, 32, "-");
	else if (hours)
		(void)snprintf(out, 32, "%" PRIu64 ":%02u:%02u", hours, minutes, rest);
	else
		(void)snprintf(out, 32, "%u:%02u", minutes, rest);
}

void format_time(uint64_t seconds_since_epoch, char out[32])
{
	time_t when = (time_t)seconds_since_epoch;
	struct tm local;

	if (seconds_since_epoch == 0 || !localtime_r(&when, &local) ||
	    strftime(out, 32, "%Y-%m-%d %H:%M", &local) == 0)
		(void)snprintf(out, 32, "-");
}

bool colour_wanted(FILE *out)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if ((no_colour && *no_colour) || (terminal && strcmp(terminal, "dumb") == 0))
		return false;
	return isatty(fileno(out)) == 1;
}
