/* targets/usage.c - numbers in the texts of cgroups and of /proc/PID/stat. */
/* Sources: helper/limits/usage_parse.c helper/limits/table.c helper/registry/process.c
 * helper/init/budget.c helper/limits/control_file.c base/files.c base/directories.c
 * base/tree_remove.c base/failure.c
 */
#include "helper/init/budget.h"
#include "helper/limits/table.h"
#include "helper/limits/usage_parse.h"
#include "helper/registry/process.h"
#include "tests/fuzz/targets/fuzz.h"

static void check_file(const struct limit_file *file, const char *text)
{
	const struct limit_device device = {254, 0};
	char written[LIMIT_TEXT_SIZE];
	uint64_t value;

	if (!file->name)
		return;
	value = limit_file_parse(file, text, &device);
	if (value == LIMIT_UNSET || value == LIMIT_UNLIMITED)
		return; /* the latter is written in a way that the kernel forgets */
	limit_file_format(file, value, &device, written);
	MUST(limit_file_parse(file, written, &device) == value);
}

static void check_budget(const char *text)
{
	char again[BUDGET_RECORD_SIZE + 1];
	struct budget_record record;

	if (!budget_parse(text, &record))
		return;
	budget_format(&record, again);
	MUST(strcmp(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	const char *cursor = text;
	struct limit_device device;

	(void)usage_parse(text, USAGE_NUMBER, NULL, NULL);
	(void)usage_parse(text, USAGE_LINE, "oom_kill", NULL);
	(void)usage_parse(text, USAGE_DISKS, "Read", NULL);
	(void)usage_parse(text, USAGE_DISKS_KEYS, "rbytes", NULL);
	for (size_t i = 0; i < LIMIT_ROW_COUNT; i++) {
		check_file(&limit_rows[i].v1, text);
		check_file(&limit_rows[i].v2, text);
	}
	while (limit_file_next_device(&cursor, NULL, &device))
		MUST(cursor > text && cursor <= text + size);
	(void)process_parse_start_ticks(text);
	check_budget(text);
	free(text);
	return 0;
}
