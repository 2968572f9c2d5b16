/* pam_module/text.c - make a text that came over the wire fit to be shown. */
#include "pam_module/text.h"

#include <stdbool.h>

static bool is_layout(unsigned char byte)
{
	return byte == '\n' || byte == '\t';
}

static void clean(char *text, bool for_log)
{
	for (unsigned char *byte = (unsigned char *)text; *byte; byte++) {
		if (is_layout(*byte)) {
			if (for_log)
				*byte = ' ';
		} else if (*byte < 0x20 || *byte == 0x7f) {
			*byte = '?';
		} else if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] <= 0x9f) {
			byte[0] = byte[1] = '?';
		}
	}
}

void text_clean_for_user(char *text)
{
	clean(text, false);
}

void text_clean_for_log(char *text)
{
	clean(text, true);
}
