/* helper/admin/report.h - findings of a check: what is well, what is doubtful, what is wrong. */
#ifndef CARREL_HELPER_ADMIN_REPORT_H
#define CARREL_HELPER_ADMIN_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/admin/admin.h"

enum grade { GRADE_OK, GRADE_WARNING, GRADE_PROBLEM, GRADE_COUNT };

struct finding {
	enum grade grade;
	char topic[256]; /* what was looked at */
	char text[600];  /* what was found and, unless it is well, what to do */
};

struct report {
	struct finding *findings;
	size_t count;
	size_t grades[GRADE_COUNT]; /* how many of each */
	bool failed;                /* out of memory: it must not look as if all were well */
};

void report_add(struct report *report, enum grade grade, const char *topic, const char *format, ...)
    _printf_(4, 5);
/* A finding from a failure of the check itself or of what it tried. */
void report_failure(struct report *report, enum grade grade, const char *topic,
		    const struct failure *why);
/* The worst grade found about a topic, GRADE_OK when nothing was. */
enum grade report_worst(const struct report *report, const char *topic);

/* Print one line a finding and a last line with the numbers. STATUS_FAILED when there is a problem.
 */
int report_print(const struct report *report);
/* {"findings": [{"grade", "topic", "text"}...], "problems": N, "warnings": N} and the same status.
 */
int report_print_json(const struct report *report);
void report_free(struct report *report);
#define _cleanup_report_ __attribute__((cleanup(report_free)))

#endif
