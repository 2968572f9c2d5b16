/* tests/unit/main.c - run every suite; CK_FORK, CK_RUN_SUITE, CK_RUN_CASE and CK_VERBOSITY work. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "tests/unit/suites.h"

static Suite *(*const suites[])(void) = {
#define SUITE(name) name##_suite,
#include "tests/unit/suites.h"
};

int main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (size_t i = 0; i < ARRAY_LENGTH(suites); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
