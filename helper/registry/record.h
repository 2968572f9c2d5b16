/* helper/registry/record.h - the small "key=value" files in which the registry keeps what it knows.
 */
#ifndef CARREL_HELPER_REGISTRY_RECORD_H
#define CARREL_HELPER_REGISTRY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

#define RECORD_SIZE 4096

struct record {
	char text[RECORD_SIZE];
	size_t length;
	size_t next; /* the line after the one that was read last */
	bool failed; /* something did not fit, or was missing or malformed on reading */
};

/*
 * Append a line. Control bytes, '%' and bytes above 0x7e in a value are written as %XX, so that
 * one key is one line whatever the value. Errors are kept in record->failed.
 */
void record_put(struct record *record, const char *key, const char *value);
void record_put_number(struct record *record, const char *key, uint64_t value);

/*
 * Read a value into out. A missing key, a value that is too long or badly escaped sets
 * record->failed and leaves "" or 0: check it once after the last get.
 */
void record_get(struct record *record, const char *key, char *out, size_t size);
uint64_t record_get_number(struct record *record, const char *key, uint64_t maximum);

/*
 * Read a record from the file `path` below `dir`, on the way to which no link is followed. True
 * with *found false when there is none; false with *why when it cannot be read.
 */
bool record_load(int dir, const char *path, struct record *record, bool *found,
		 struct failure *why);

#endif
