/* tests/sanitizers/planted_watch.c - a mistake in the process that nobody waits for. */
#include "helper/watch/record.h"
#include "tests/sanitizers/planted.h"

void __real_record_login(const struct login_facts *facts, const char *id, int64_t seconds,
			 struct utmpx *record);
void __wrap_record_login(const struct login_facts *facts, const char *id, int64_t seconds,
			 struct utmpx *record);

void __wrap_record_login(const struct login_facts *facts, const char *id, int64_t seconds,
			 struct utmpx *record)
{
	__real_record_login(freed_copy(facts, sizeof(*facts)), id, seconds, record);
}
