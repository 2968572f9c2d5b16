/* helper/admin/metrics_text.h - the Prometheus text format. Pure. */
#ifndef CARREL_HELPER_ADMIN_METRICS_TEXT_H
#define CARREL_HELPER_ADMIN_METRICS_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "helper/init/status.h"

/* What is told of one container. */
struct metrics_container {
	struct container_status status;
	char user[257];
	bool runs;
};

/* What is counted over all of them. */
struct metrics_totals {
	uint64_t stopped, running; /* containers */
};

/*
 * Every family with HELP and TYPE once and its samples together, as the format wants it; a figure
 * that is not known has no sample, a family without samples is left out.
 */
void metrics_print(const struct metrics_container *all, size_t count,
		   const struct metrics_totals *totals, FILE *out);

/* A label's value: backslash, quote and newline escaped, bytes that are not UTF-8 replaced. */
void metrics_label(const char *value, FILE *out);

#endif
