/* helper/admin/quota_view.h - what a container uses of what it may use, for people and programs. */
#ifndef CARREL_HELPER_ADMIN_QUOTA_VIEW_H
#define CARREL_HELPER_ADMIN_QUOTA_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "helper/events/events.h"
#include "helper/init/status.h"

/* How the terminal wants it. */
struct quota_style {
	unsigned columns; /* width of a line */
	bool blocks;      /* bars of block characters: it shows UTF-8 */
	bool colour;
};

/* Of the terminal that `out` is, else 80 columns of what the locale says. */
void quota_style_find(FILE *out, struct quota_style *style);

/* A bar of `width` characters, of which `percent` are full. `out` has room for 3 * width + 1. */
void quota_bar(unsigned percent, unsigned width, bool blocks, char *out);

/* How much of `limit` is used: 0 to 100, rounded down, so that 100 is full. Limit 0 is full. */
unsigned quota_percent(uint64_t used, uint64_t limit);

void quota_print(const struct container_status *status, const struct quota_style *style, FILE *out);
void quota_write(const struct container_status *status, struct json *json);

#endif
