/* helper/admin/export_head.h - the first member of an export: what the data are. */
#ifndef CARREL_HELPER_ADMIN_EXPORT_HEAD_H
#define CARREL_HELPER_ADMIN_EXPORT_HEAD_H

#include "helper/archive/tar_read.h"
#include "helper/archive/tar_write.h"
#include "helper/registry/registry.h"

/*
 * An export has the members "carrel-export" (a record), then "upper", "home" and "var-tmp" of a
 * layer with what is in them, or "home" alone. The owners are those on disk.
 */
struct export_head {
	bool home_only;
	char container[65];
	struct stored_record stored; /* without its storage */
};

bool export_head_write(struct tar_writer *writer, const struct export_head *head,
		       struct failure *why);

/* FAILURE_DATA when the archive does not begin like that. */
bool export_head_read(struct tar_reader *reader, struct export_head *head, struct failure *why);

#endif
