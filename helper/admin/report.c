/* helper/admin/report.c - collect findings and print them. */
#include "helper/admin/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "helper/admin/table.h"

static const struct {
	const char *name, *colour;
} grades[GRADE_COUNT] = {
    [GRADE_OK] = {"ok", "\033[32m"},
    [GRADE_WARNING] = {"warning", "\033[33m"},
    [GRADE_PROBLEM] = {"problem", "\033[1;31m"},
};

void report_add(struct report *report, enum grade grade, const char *topic, const char *format, ...)
{
	struct finding *findings =
	    reallocarray(report->findings, report->count + 1, sizeof(*findings));
	struct finding *finding;
	va_list arguments;

	if (!findings) {
		report->failed = true;
		return;
	}
	report->findings = findings;
	finding = &findings[report->count++];
	finding->grade = grade;
	(void)snprintf(finding->topic, sizeof(finding->topic), "%s", topic);
	va_start(arguments, format);
	(void)vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
	report->grades[grade]++;
}

void report_failure(struct report *report, enum grade grade, const char *topic,
		    const struct failure *why)
{
	report_add(report, grade, topic, "%s", why->text);
}

enum grade report_worst(const struct report *report, const char *topic)
{
	enum grade worst = GRADE_OK;

	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->findings[i].topic, topic) == 0 &&
		    report->findings[i].grade > worst)
			worst = report->findings[i].grade;
	return worst;
}

static int status_of(const struct report *report)
{
	return report->grades[GRADE_PROBLEM] ? STATUS_FAILED : STATUS_OK;
}

int report_print(const struct report *report)
{
	bool colour = colour_wanted(stdout);
	int width = 0;

	if (report->failed)
		return complain("out of memory");
	for (size_t i = 0; i < report->count; i++)
		if ((int)strlen(report->findings[i].topic) > width)
			width = (int)strlen(report->findings[i].topic);
	for (size_t i = 0; i < report->count; i++) {
		const struct finding *finding = &report->findings[i];
		char safe[sizeof(finding->text) * 4];

		text_make_safe(finding->text, safe, sizeof(safe));
		(void)printf("%s%-7s%s  %-*s  %s\n", colour ? grades[finding->grade].colour : "",
			     grades[finding->grade].name, colour ? "\033[0m" : "", width,
			     finding->topic, safe);
	}
	(void)printf("%zu ok, %zu warning%s, %zu problem%s\n", report->grades[GRADE_OK],
		     report->grades[GRADE_WARNING], report->grades[GRADE_WARNING] == 1 ? "" : "s",
		     report->grades[GRADE_PROBLEM], report->grades[GRADE_PROBLEM] == 1 ? "" : "s");
	return output_status(status_of(report));
}

int report_print_json(const struct report *report)
{
	struct json json = {0};
	int status;

	if (report->failed)
		return complain("out of memory");
	json_object_begin(&json, NULL);
	json_array_begin(&json, "findings");
	for (size_t i = 0; i < report->count; i++) {
		json_object_begin(&json, NULL);
		json_string(&json, "grade", grades[report->findings[i].grade].name);
		json_string(&json, "topic", report->findings[i].topic);
		json_string(&json, "text", report->findings[i].text);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_number(&json, "warnings", report->grades[GRADE_WARNING]);
	json_number(&json, "problems", report->grades[GRADE_PROBLEM]);
	json_object_end(&json);
	status = json_print(&json);
	json_free(&json);
	return status == STATUS_OK ? status_of(report) : status;
}

void report_free(struct report *report)
{
	free(report->findings);
	*report = (struct report){0};
}
