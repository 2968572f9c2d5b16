/* targets/tar_member.c - one member of a tar archive: its header block and extended records. */
/* Sources: helper/archive/tar_format.c base/failure.c */
#include "helper/archive/tar_format.h"
#include "tests/fuzz/targets/fuzz.h"

static bool has_dots(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strcmp(part, "..") == 0 || strncmp(part, "../", 3) == 0)
			return true;
	}
	return false;
}

static void check_entry(const struct tar_entry *entry)
{
	char path[PATH_MAX], *safe;

	MUST(entry->type >= TAR_FILE && entry->type <= TAR_FIFO);
	MUST(strlen(entry->path) < sizeof(entry->path));
	MUST(strlen(entry->target) < sizeof(entry->target));
	MUST(entry->mode <= 07777 && entry->nanoseconds < 1000000000);
	MUST(entry->size <= INT64_MAX && entry->real_size <= INT64_MAX);
	MUST(entry->is_sparse || entry->real_size == entry->size);
	MUST(entry->attribute_count <= TAR_ATTRIBUTES_MAX);
	memcpy(path, entry->path, sizeof(path));
	safe = tar_safe_path(path);
	if (safe)
		MUST(*safe != '/' && !has_dots(safe));
	else
		MUST(entry->path[0] == '/' || has_dots(entry->path));
}

/* Decode what was encoded, as tar_read_next does. */
static void decode(const struct tar_bytes *bytes, struct tar_entry *entry, char *records)
{
	struct failure why = {0};
	size_t at = 0, length = 0;
	char kind;

	MUST(tar_decode((unsigned char *)bytes->data, entry, &kind, &why));
	if (kind == 'x') {
		length = (size_t)entry->size;
		memcpy(records, bytes->data + TAR_BLOCK, length);
		records[length] = '\0';
		at = TAR_BLOCK + (length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
		MUST(tar_decode((unsigned char *)bytes->data + at, entry, &kind, &why));
	}
	MUST(at + TAR_BLOCK == bytes->length);
	MUST(tar_apply(records, length, entry, &why));
}

/* What can be read can be written, and is then read as the same. */
static void check_round_trip(const struct tar_entry *entry)
{
	static struct tar_entry again;
	struct tar_bytes bytes = {0};
	char *records = malloc(TAR_PAX_MAX + 1);

	MUST(records);
	tar_encode(entry, &bytes);
	if (!bytes.failed) {
		decode(&bytes, &again, records);
		MUST(again.type == entry->type && again.mode == entry->mode);
		MUST(strcmp(again.path, entry->path) == 0);
		MUST(strcmp(again.target, entry->target) == 0);
		MUST(again.uid == entry->uid && again.gid == entry->gid);
		MUST(again.size == entry->size && again.real_size == entry->real_size);
		MUST(again.seconds == entry->seconds);
		MUST(again.attribute_count == entry->attribute_count);
		for (size_t i = 0; i < again.attribute_count; i++)
			MUST(again.attributes[i].length == entry->attributes[i].length &&
			     strcmp(again.attributes[i].name, entry->attributes[i].name) == 0);
	}
	free(bytes.data);
	free(records);
}

/* The sum that makes a block a header; without it hardly any input would be one. */
static void sign(unsigned char block[TAR_BLOCK])
{
	unsigned sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	(void)snprintf((char *)block + 148, 8, "%06o", sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tar_entry entry;
	unsigned char block[TAR_BLOCK] = {0};
	size_t head = size < TAR_BLOCK ? size : TAR_BLOCK;
	struct failure why = {0};
	char kind, *records = fuzz_text(data + head, size - head);

	memset(&entry, 0, sizeof(entry));
	memcpy(block, data, head);
	sign(block);
	if (tar_decode(block, &entry, &kind, &why)) {
		if (kind >= TAR_FILE && kind <= TAR_FIFO) {
			check_entry(&entry);
			if (tar_apply(records, size - head, &entry, &why)) {
				check_entry(&entry);
				check_round_trip(&entry);
			}
		}
	} else {
		MUST(why.kind == FAILURE_DATA && why.text[0]);
	}
	free(records);
	return 0;
}
