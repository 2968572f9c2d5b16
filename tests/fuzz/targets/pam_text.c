/* targets/pam_text.c - files of /etc/pam.d, when our line goes in and out. */
/* Sources: helper/admin/pam_text.c base/failure.c */
#include "helper/admin/pam_text.h"
#include "tests/fuzz/targets/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *with, *without;
	size_t sessions, all = pam_text_count(text, &sessions), left;
	const char *cursor = text, *before = text;
	struct failure why = {0};
	struct pam_line line;

	MUST(sessions <= all);
	while (pam_line_next(&cursor, &line)) {
		MUST(line.begin >= before && line.begin < line.end);
		MUST(line.end <= cursor && cursor <= text + strlen(text));
		before = line.end;
	}
	without = pam_text_remove(text, false);
	MUST(without && strlen(without) <= strlen(text));
	MUST(pam_text_count(without, &left) == 0);
	MUST(all > 0 || strcmp(without, text) == 0);
	with = pam_text_add(without, &why);
	if (with) {
		MUST(pam_text_count(with, &left) == 1 && left == 1);
		MUST(strncmp(with, without, strlen(without)) == 0);
	} else {
		MUST(why.text[0]);
	}
	free(with);
	free(without);
	free(text);
	return 0;
}
