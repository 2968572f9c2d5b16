/* targets/record.c - the records of the registry. */
/* Sources: helper/registry/record.c */
#include "helper/registry/record.h"
#include "tests/fuzz/targets/fuzz.h"

static void check_reading(const char *text, size_t size)
{
	struct record record = {0};
	char value[65];
	uint64_t number;

	memcpy(record.text, text, size < RECORD_SIZE ? size : RECORD_SIZE - 1);
	record.length = strlen(record.text);
	record_get(&record, "user", value, sizeof(value));
	MUST(strlen(value) < sizeof(value));
	if (record.failed)
		MUST(!*value);
	record.failed = false;
	number = record_get_number(&record, "pid", 4194304);
	MUST(number <= 4194304 && (!record.failed || number == 0));
}

/* One key is one line, whatever the value; what is written is read. */
static void check_writing(const char *value, uint64_t number)
{
	struct record record = {0};
	char again[RECORD_SIZE];

	record_put(&record, "before", value);
	record_put(&record, "user", value);
	record_put_number(&record, "pid", number);
	if (record.failed)
		return;
	MUST(record.length == strlen(record.text) && record.length < RECORD_SIZE);
	record_get(&record, "user", again, sizeof(again));
	MUST(!record.failed && strcmp(again, value) == 0);
	MUST(record_get_number(&record, "pid", UINT64_MAX) == number && !record.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	uint64_t number = 0;

	memcpy(&number, data, size < sizeof(number) ? size : sizeof(number));
	check_reading(text, size);
	check_writing(text, number);
	free(text);
	return 0;
}
