/* helper/seccomp/cache.c - compiled programs, kept until the next boot. */
#include "helper/seccomp/cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "helper/registry/this_build.h"
#include "helper/seccomp/arch.h"

#define CACHE_MAGIC 0x31504d4353525243u /* "CRRSCMP1" in memory order */

/* A file: this, the key without its NUL, the code. */
struct cache_header {
	uint64_t magic;
	uint64_t key_length;
	uint64_t code_length; /* bytes */
	uint64_t code_sum;
};

/* Far more than any policy's lists; what is longer is compiled every time. */
#define KEY_MAX 65536

/* FNV-1a: finds accidents. Against malice there is the owner of the file. */
static uint64_t fnv1a(const void *data, size_t length)
{
	const unsigned char *bytes = data;
	uint64_t sum = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3u;
	return sum;
}

/* The same by instructions, which are of 8 bytes: they are many, and looked at in each login. */
static uint64_t sum_code(const void *code, size_t length)
{
	uint64_t sum = 0xcbf29ce484222325u, instruction;

	for (size_t i = 0; i + sizeof(instruction) <= length; i += sizeof(instruction)) {
		memcpy(&instruction, (const char *)code + i, sizeof(instruction));
		sum = (sum ^ instruction) * 0x100000001b3u;
	}
	return sum;
}

/* A name that held a line break could make the key of other rules. */
static bool print_names(FILE *out, const char *verb, const struct string_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];

		if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
			return false;
		(void)fprintf(out, "%s %s\n", verb, name);
	}
	return true;
}

char *cache_key(const struct seccomp_rules *rules)
{
	_cleanup_free_ char *key = NULL;
	struct this_build build;
	size_t length;
	bool complete;
	FILE *out;

	/*
	 * The table and the compiler are in this file: another build of them is another file. Of
	 * libseccomp come only names of numbers that never change.
	 */
	if (!this_build_read(&build))
		return NULL;
	out = open_memstream(&key, &length);
	if (!out)
		return NULL;
	(void)fprintf(out, "arch %x\n", NATIVE_ARCH);
	(void)fprintf(out, "%s\n", build.text);
	(void)fprintf(out, "root %d\n", rules->allow_root);
	complete = print_names(out, "allow", rules->allow) && print_names(out, "deny", rules->deny);
	if (fclose(out) != 0 || !complete || length > KEY_MAX)
		return NULL;
	return take_ptr(key);
}

struct cache_name {
	char text[32];
};

static struct cache_name name_of(const char *key)
{
	struct cache_name name;

	(void)snprintf(name.text, sizeof(name.text), "%016" PRIx64 ".bpf", fnv1a(key, strlen(key)));
	return name;
}

static bool is_as_we_wrote_it(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	       (status.st_mode & 07777) == 0600 && status.st_nlink == 1;
}

static bool take_program(const char *data, size_t length, const char *key,
			 struct seccomp_program *program)
{
	struct cache_header header;
	size_t key_length = strlen(key);
	const char *code;

	if (length < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	if (header.magic != CACHE_MAGIC || header.key_length != key_length ||
	    header.code_length == 0 || header.code_length > sizeof(program->code) ||
	    header.code_length % sizeof(program->code[0]) != 0 ||
	    length != sizeof(header) + key_length + header.code_length)
		return false;
	code = data + sizeof(header) + key_length;
	if (memcmp(data + sizeof(header), key, key_length) != 0 ||
	    sum_code(code, header.code_length) != header.code_sum)
		return false;

	memcpy(program->code, code, header.code_length);
	program->count = header.code_length / sizeof(program->code[0]);
	return true;
}

bool cache_load(int cache, const char *key, struct seccomp_program *program)
{
	const size_t limit = sizeof(struct cache_header) + KEY_MAX + sizeof(program->code);
	struct cache_name name = name_of(key);
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int fd = -1;
	struct failure ignored;
	size_t length;

	/* O_NONBLOCK: a FIFO in its place must not hold up a login. */
	fd = openat(cache, name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || !is_as_we_wrote_it(fd))
		return false;
	data = file_read(fd, limit, &length, name.text, &ignored);
	return data && take_program(data, length, key, program);
}

void cache_store(int cache, const char *key, const struct seccomp_program *program)
{
	size_t code_length = program->count * sizeof(program->code[0]);
	size_t key_length = strlen(key);
	size_t length = sizeof(struct cache_header) + key_length + code_length;
	struct cache_header header = {
	    .magic = CACHE_MAGIC,
	    .key_length = key_length,
	    .code_length = code_length,
	    .code_sum = sum_code(program->code, code_length),
	};
	_cleanup_free_ char *data = malloc(length);
	struct failure ignored;

	if (!data)
		return;
	memcpy(data, &header, sizeof(header));
	memcpy(data + sizeof(header), key, key_length);
	memcpy(data + sizeof(header) + key_length, program->code, code_length);
	(void)file_replace_at(cache, name_of(key).text, data, length, 0600, false, &ignored);
}
