/* helper/admin/export_head.c - the first member of an export: what the data are. */
#include "helper/admin/export_head.h"

#include <string.h>

#include "helper/registry/record.h"

#define MEMBER       "carrel-export"
#define HEAD_VERSION 1

bool export_head_write(struct tar_writer *writer, const struct export_head *head,
		       struct failure *why)
{
	struct record record = {0};

	record_put_number(&record, "version", HEAD_VERSION);
	record_put_number(&record, "layout", head->stored.version);
	record_put_number(&record, "home_only", head->home_only);
	record_put_number(&record, "created_at", head->stored.created_at);
	record_put(&record, "container", head->container);
	record_put(&record, "user", head->stored.user);
	record_put(&record, "policy", head->stored.policy);
	record_put(&record, "image", head->stored.image);
	return tar_write_text(writer, MEMBER, record.text, record.length, why);
}

static bool decode(struct record *record, struct export_head *head, struct failure *why)
{
	if (record_get_number(record, "version", UINT64_MAX) > HEAD_VERSION)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "the archive was written by a newer version of Carrel");
	head->stored.version = record_get_number(record, "layout", 1);
	head->home_only = record_get_number(record, "home_only", 1) == 1;
	head->stored.created_at = record_get_number(record, "created_at", INT64_MAX);
	record_get(record, "container", head->container, sizeof(head->container));
	record_get(record, "user", head->stored.user, sizeof(head->stored.user));
	record_get(record, "policy", head->stored.policy, sizeof(head->stored.policy));
	record_get(record, "image", head->stored.image, sizeof(head->stored.image));
	return !record->failed ||
	       fail(why, FAILURE_DATA, 0, "the member '" MEMBER "' of the archive is damaged");
}

bool export_head_read(struct tar_reader *reader, struct export_head *head, struct failure *why)
{
	_cleanup_free_ char *text = NULL;
	struct record record = {0};
	bool more;

	memset(head, 0, sizeof(*head));
	if (!tar_read_next(reader, &more, why))
		return false;
	if (!more || strcmp(reader->entry->path, MEMBER) != 0)
		return fail(why, FAILURE_DATA, 0,
			    "the archive was not written by 'carrel export'; 'carrel cp' takes "
			    "ordinary files");
	text = tar_read_text(reader, RECORD_SIZE - 1, &record.length, why);
	if (!text)
		return false;
	memcpy(record.text, text, record.length + 1);
	return decode(&record, head, why);
}
