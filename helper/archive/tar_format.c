/* helper/archive/tar_format.c - one member of a tar archive, as bytes and as facts. */
#include "helper/archive/tar_format.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* pax(1), "ustar Interchange Format": offset and length of each field. */
enum {
	NAME_AT = 0,
	NAME_SIZE = 100,
	MODE_AT = 100,
	UID_AT = 108,
	GID_AT = 116,
	SIZE_AT = 124,
	MTIME_AT = 136,
	CHECKSUM_AT = 148,
	TYPE_AT = 156,
	TARGET_AT = 157,
	MAGIC_AT = 257,
	MAJOR_AT = 329,
	MINOR_AT = 337,
	PREFIX_AT = 345,
	PREFIX_SIZE = 155,
};
#define SMALL    8U /* octal digits and a NUL */
#define LARGE    12U
#define SMALLEST 07777777ULL
#define LARGEST  077777777777ULL
#define XATTR    "SCHILY.xattr."

static void append(struct tar_bytes *out, const void *data, size_t length)
{
	if (out->failed || length > 4U * TAR_PAX_MAX || out->length + length > 4U * TAR_PAX_MAX) {
		out->failed = true;
		return;
	}
	if (out->length + length > out->size) {
		size_t size = (out->length + length) * 2;
		char *more = realloc(out->data, size);

		if (!more) {
			out->failed = true;
			return;
		}
		out->data = more;
		out->size = size;
	}
	memcpy(out->data + out->length, data, length);
	out->length += length;
}

static void pad(struct tar_bytes *out)
{
	static const char zeros[TAR_BLOCK];
	size_t rest = out->length % TAR_BLOCK;

	if (rest)
		append(out, zeros, TAR_BLOCK - rest);
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void append_record(struct tar_bytes *out, const char *prefix, const char *key,
			  size_t key_length, const void *value, size_t length)
{
	size_t rest = 1 + strlen(prefix) + key_length + 1 + length + 1;
	size_t total = rest + 1;
	char digits[24];

	for (int width = 1;; width++) {
		total = rest + (size_t)width;
		if (snprintf(digits, sizeof(digits), "%zu", total) == width)
			break;
	}
	append(out, digits, strlen(digits));
	append(out, " ", 1);
	append(out, prefix, strlen(prefix));
	append(out, key, key_length);
	append(out, "=", 1);
	append(out, value, length);
	append(out, "\n", 1);
}

static void append_text(struct tar_bytes *out, const char *key, const char *value)
{
	append_record(out, "", key, strlen(key), value, strlen(value));
}

static void append_number(struct tar_bytes *out, const char *key, uint64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	append_text(out, key, digits);
}

static void append_time(struct tar_bytes *out, const struct tar_entry *entry)
{
	char text[40];

	/* Before 1970 the fraction counts from the second below; the format has a sign and digits.
	 */
	if (entry->seconds < 0)
		(void)snprintf(text, sizeof(text), "%" PRId64, entry->seconds);
	else
		(void)snprintf(text, sizeof(text), "%" PRId64 ".%09u", entry->seconds,
			       entry->nanoseconds);
	append_text(out, "mtime", text);
}

/* The key ends at the first '=': as GNU tar does it, one in a name is written as %3D. */
static void append_attribute(struct tar_bytes *out, const struct tar_attribute *attribute)
{
	char key[3 * XATTR_NAME_MAX + 1];
	size_t used = 0;

	for (const char *at = attribute->name; *at && used + 3 < sizeof(key); at++) {
		if (*at == '%' || *at == '=')
			used += (size_t)snprintf(key + used, 4, "%%%02X", *at);
		else
			key[used++] = *at;
	}
	append_record(out, XATTR, key, used, attribute->value, attribute->length);
}

/* What the header block has no room for. */
static void append_records(struct tar_bytes *out, const struct tar_entry *entry)
{
	if (entry->is_sparse) {
		append_text(out, "GNU.sparse.major", "1");
		append_text(out, "GNU.sparse.minor", "0");
		append_text(out, "GNU.sparse.name", entry->path);
		append_number(out, "GNU.sparse.realsize", entry->real_size);
	}
	if (strlen(entry->path) > NAME_SIZE)
		append_text(out, "path", entry->path);
	if (strlen(entry->target) > NAME_SIZE)
		append_text(out, "linkpath", entry->target);
	if (entry->size > LARGEST)
		append_number(out, "size", entry->size);
	if (entry->uid > SMALLEST)
		append_number(out, "uid", entry->uid);
	if (entry->gid > SMALLEST)
		append_number(out, "gid", entry->gid);
	if (entry->nanoseconds || entry->seconds < 0 || (uint64_t)entry->seconds > LARGEST)
		append_time(out, entry);
	for (size_t i = 0; i < entry->attribute_count; i++)
		append_attribute(out, &entry->attributes[i]);
}

static void put_octal(unsigned char *at, size_t size, uint64_t value, uint64_t most)
{
	(void)snprintf((char *)at, size, "%0*" PRIo64, (int)size - 1, value > most ? 0 : value);
}

/* The checksum is that of the block with blanks in its own place. */
static unsigned checksum(const unsigned char block[TAR_BLOCK])
{
	unsigned sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + SMALL ? ' ' : block[i];
	return sum;
}

static void append_block(struct tar_bytes *out, const struct tar_entry *entry, char type,
			 uint64_t size)
{
	unsigned char block[TAR_BLOCK] = {0};

	memcpy(block + NAME_AT, entry->path, strnlen(entry->path, NAME_SIZE));
	memcpy(block + TARGET_AT, entry->target, strnlen(entry->target, NAME_SIZE));
	put_octal(block + MODE_AT, SMALL, entry->mode & 07777, SMALLEST);
	put_octal(block + UID_AT, SMALL, entry->uid, SMALLEST);
	put_octal(block + GID_AT, SMALL, entry->gid, SMALLEST);
	put_octal(block + SIZE_AT, LARGE, size, LARGEST);
	put_octal(block + MTIME_AT, LARGE, entry->seconds < 0 ? 0 : (uint64_t)entry->seconds,
		  LARGEST);
	block[TYPE_AT] = (unsigned char)type;
	memcpy(block + MAGIC_AT, "ustar\00000", 8);
	put_octal(block + MAJOR_AT, SMALL, entry->major, SMALLEST);
	put_octal(block + MINOR_AT, SMALL, entry->minor, SMALLEST);
	(void)snprintf((char *)block + CHECKSUM_AT, SMALL, "%06o", checksum(block));
	block[CHECKSUM_AT + SMALL - 1] = ' ';
	append(out, block, sizeof(block));
}

void tar_encode(const struct tar_entry *entry, struct tar_bytes *out)
{
	struct tar_bytes records = {0};

	append_records(&records, entry);
	if (records.failed || records.length > TAR_PAX_MAX)
		out->failed = true;
	if (records.length) {
		append_block(out, entry, 'x', records.length);
		append(out, records.data, records.length);
		pad(out);
	}
	free(records.data);
	append_block(out, entry, (char)entry->type, entry->size);
}

/* Octal digits with blanks around, or GNU tar's binary form. False when it is neither. */
static bool get_number(const unsigned char *at, size_t size, uint64_t *value)
{
	size_t i = 0;

	*value = 0;
	if (at[0] == 0x80) {
		for (i = 1; i < size; i++) {
			if (*value >> 55)
				return false;
			*value = *value << 8 | at[i];
		}
		return true;
	}
	while (i < size && at[i] == ' ')
		i++;
	for (; i < size && at[i] >= '0' && at[i] <= '7'; i++)
		*value = *value << 3 | (uint64_t)(at[i] - '0');
	for (; i < size; i++)
		if (at[i] != ' ' && at[i] != '\0')
			return false;
	return true;
}

static bool bad(struct failure *why, const char *what)
{
	return fail(why, FAILURE_DATA, 0, "this is not a whole tar archive: %s", what);
}

static void get_path(const unsigned char *block, struct tar_entry *entry)
{
	/* The prefix is POSIX's; GNU's old format has other things there. */
	if (memcmp(block + MAGIC_AT, "ustar\0", 6) == 0 && block[PREFIX_AT])
		(void)snprintf(entry->path, sizeof(entry->path), "%.*s/%.*s", PREFIX_SIZE,
			       block + PREFIX_AT, NAME_SIZE, block + NAME_AT);
	else
		(void)snprintf(entry->path, sizeof(entry->path), "%.*s", NAME_SIZE,
			       block + NAME_AT);
	(void)snprintf(entry->target, sizeof(entry->target), "%.*s", NAME_SIZE, block + TARGET_AT);
}

bool tar_decode(const unsigned char block[TAR_BLOCK], struct tar_entry *entry, char *kind,
		struct failure *why)
{
	static const unsigned char zeros[TAR_BLOCK];
	uint64_t mode, uid, gid, seconds, major, minor, sum;

	*kind = '\0';
	if (memcmp(block, zeros, TAR_BLOCK) == 0)
		return true;
	if (!get_number(block + CHECKSUM_AT, SMALL, &sum) || sum != checksum(block))
		return bad(why, "a header has the wrong checksum");
	if (!get_number(block + MODE_AT, SMALL, &mode) ||
	    !get_number(block + UID_AT, SMALL, &uid) || !get_number(block + GID_AT, SMALL, &gid) ||
	    !get_number(block + SIZE_AT, LARGE, &entry->size) ||
	    !get_number(block + MTIME_AT, LARGE, &seconds) ||
	    !get_number(block + MAJOR_AT, SMALL, &major) ||
	    !get_number(block + MINOR_AT, SMALL, &minor) || uid > UINT32_MAX || gid > UINT32_MAX ||
	    entry->size > INT64_MAX || seconds > INT64_MAX)
		return bad(why, "a header has a number that is none");
	*kind = block[TYPE_AT] ? (char)block[TYPE_AT] : TAR_FILE;
	if (*kind == 'x' || *kind == 'g')
		return true;
	if (!(*kind >= TAR_FILE && *kind <= TAR_FIFO))
		return fail(why, FAILURE_DATA, 0,
			    "the archive has a member of type '%c', which is not in the pax format",
			    *kind > ' ' && *kind < 0x7f ? *kind : '?');
	get_path(block, entry);
	entry->type = (enum tar_type) * kind;
	entry->mode = mode & 07777;
	entry->uid = (uint32_t)uid;
	entry->gid = (uint32_t)gid;
	entry->seconds = (int64_t)seconds;
	entry->nanoseconds = 0;
	entry->major = (unsigned)major;
	entry->minor = (unsigned)minor;
	entry->real_size = entry->size;
	entry->is_sparse = false;
	entry->attribute_count = 0;
	return true;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *value <= most;
}

static bool parse_time(const char *text, struct tar_entry *entry)
{
	char *end;

	errno = 0;
	entry->seconds = strtoll(text, &end, 10);
	entry->nanoseconds = 0;
	if (errno || end == text)
		return false;
	if (*end != '.')
		return !*end;
	for (uint32_t unit = 100000000; *++end; unit /= 10) {
		if (*end < '0' || *end > '9')
			return false;
		entry->nanoseconds += (uint32_t)(*end - '0') * unit;
	}
	return true;
}

static bool copy_path(char out[PATH_MAX], const char *value, size_t length)
{
	if (length >= PATH_MAX || strlen(value) != length)
		return false;
	memcpy(out, value, length + 1);
	return true;
}

/* In place: %3D and %25 back to what they stand for. */
static void unescape(char *key)
{
	char *out = key;

	for (; *key; key++) {
		bool equals = strncmp(key, "%3D", 3) == 0, percent = strncmp(key, "%25", 3) == 0;

		*out++ = equals ? '=' : *key;
		if (equals || percent)
			key += 2;
	}
	*out = '\0';
}

static bool apply_attribute(char *key, const char *value, size_t length, struct tar_entry *entry)
{
	if (entry->attribute_count == TAR_ATTRIBUTES_MAX)
		return false;
	unescape(key);
	entry->attributes[entry->attribute_count++] =
	    (struct tar_attribute){.name = key + strlen(XATTR), .value = value, .length = length};
	return true;
}

/* What is not known says nothing that an extraction needs: comments, access times, names. */
static bool apply(char *key, const char *value, size_t length, struct tar_entry *entry)
{
	uint64_t number;

	if (strncmp(key, XATTR, strlen(XATTR)) == 0)
		return apply_attribute(key, value, length, entry);
	if (strcmp(key, "path") == 0)
		return entry->is_sparse || copy_path(entry->path, value, length);
	if (strcmp(key, "GNU.sparse.name") == 0)
		return copy_path(entry->path, value, length);
	if (strcmp(key, "linkpath") == 0)
		return copy_path(entry->target, value, length);
	if (strcmp(key, "mtime") == 0)
		return parse_time(value, entry);
	if (strcmp(key, "GNU.sparse.major") == 0)
		return entry->is_sparse = strcmp(value, "1") == 0;
	if (strcmp(key, "GNU.sparse.minor") == 0)
		return strcmp(value, "0") == 0;
	if (strcmp(key, "GNU.sparse.realsize") == 0)
		return parse_number(value, INT64_MAX, &entry->real_size);
	if (strcmp(key, "size") == 0) {
		bool sparse = entry->is_sparse;
		bool good = parse_number(value, INT64_MAX, &entry->size);

		if (!sparse)
			entry->real_size = entry->size;
		return good;
	}
	if (strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0) {
		if (!parse_number(value, UINT32_MAX - 1, &number))
			return false;
		*(key[0] == 'u' ? &entry->uid : &entry->gid) = (uint32_t)number;
	}
	return strncmp(key, "GNU.sparse.", 11) != 0; /* an older form, which we do not read */
}

bool tar_apply(char *records, size_t length, struct tar_entry *entry, struct failure *why)
{
	while (length) {
		char *space, *equals, *end;
		size_t size;

		errno = 0;
		size = strtoull(records, &space, 10);
		if (errno || *space != ' ' || size > length ||
		    size <= (size_t)(space - records) + 2 || records[size - 1] != '\n')
			return bad(why, "an extended header is damaged");
		end = records + size - 1;
		equals = memchr(space + 1, '=', (size_t)(end - space - 1));
		if (!equals)
			return bad(why, "an extended header is damaged");
		*equals = *end = '\0';
		if (!apply(space + 1, equals + 1, (size_t)(end - equals - 1), entry))
			return fail(why, FAILURE_DATA, 0,
				    "the archive has a '%.64s' that makes no sense or is not "
				    "understood",
				    space + 1);
		records += size;
		length -= size;
	}
	if (entry->type != TAR_FILE) {
		entry->size = 0; /* some write the size of what a link is to */
		entry->is_sparse = false;
	}
	if (!entry->is_sparse)
		entry->real_size = entry->size;
	return true;
}

char *tar_safe_path(char *path)
{
	size_t length = strlen(path);

	if (path[0] == '/')
		return NULL;
	while (length && path[length - 1] == '/')
		path[--length] = '\0';
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
			return NULL;
	}
	while (path[0] == '.' && path[1] == '/')
		for (path += 2; *path == '/'; path++)
			;
	return strcmp(path, ".") == 0 ? path + 1 : path;
}
