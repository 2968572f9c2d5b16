/* policy/image.c - a config in one piece of bytes, to be kept and taken up without parsing. */
#include "policy/image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define IMAGE_MAGIC 0x31474d4943525243u /* "CRRCIMG1" in memory order */
#define ALIGNMENT   8
#define IMAGE_MOST  (64u << 20)

/* What stands first; the rest follows in the order in which it is met. */
struct image {
	uint64_t magic;
	uint64_t sizes; /* of the structs: another build has another image */
	struct config config;
};

#define SIZES                                                                                      \
	((uint64_t)sizeof(struct config) << 48 | (uint64_t)sizeof(struct policy) << 32 |           \
	 (uint64_t)sizeof(struct pool) << 16 | sizeof(struct bind_mount))

/* The members of a struct that lead elsewhere: a text that may be NULL, or a list of texts. */
struct member {
	size_t at;
	bool is_list;
};

#define TEXT(type, name)                                                                           \
	{                                                                                          \
		offsetof(struct type, name), false                                                 \
	}
#define LIST(type, name)                                                                           \
	{                                                                                          \
		offsetof(struct type, name), true                                                  \
	}

static const struct member of_policy[] = {
    TEXT(policy, name),        TEXT(policy, where.file),    TEXT(policy, deny_text),
    TEXT(policy, image),       TEXT(policy, hostname),      TEXT(policy, container_name),
    TEXT(policy, pool),        TEXT(policy, hours_text),    TEXT(policy, welcome),
    LIST(policy, users),       LIST(policy, groups),        LIST(policy, services),
    LIST(policy, environment), LIST(policy, seccomp_allow), LIST(policy, seccomp_deny),
};
static const struct member of_bind[] = {TEXT(bind_mount, source), TEXT(bind_mount, target)};
static const struct member of_pool[] = {TEXT(pool, name), TEXT(pool, where.file),
					LIST(pool, groups), LIST(pool, policies)};
static const struct member of_config[] = {
    TEXT(config, state_dir),    TEXT(config, cgroup_parent), TEXT(config, unmatched_text),
    LIST(config, exempt_users), LIST(config, exempt_groups),
};

/* ---- packing -------------------------------------------------------------------------------- */

struct packer {
	char *bytes;
	size_t used, size;
	bool failed;
};

/* Append; where it stands. 0, at which only the image itself can be, after a failure. */
static size_t put(struct packer *packer, const void *data, size_t length)
{
	size_t at = (packer->used + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

	if (packer->failed || length > IMAGE_MOST || at + length > IMAGE_MOST) {
		packer->failed = true;
		return 0;
	}
	if (at + length > packer->size) {
		size_t size = 2 * (at + length) + 4096;
		char *grown = realloc(packer->bytes, size);

		if (!grown) {
			packer->failed = true;
			return 0;
		}
		memset(grown + packer->used, 0, size - packer->used);
		packer->bytes = grown;
		packer->size = size;
	}
	if (length)
		memcpy(packer->bytes + at, data, length);
	packer->used = at + length;
	return at;
}

static void set_offset(struct packer *packer, size_t at, size_t offset)
{
	const uintptr_t value = offset;

	if (!packer->failed)
		memcpy(packer->bytes + at, &value, sizeof(value));
}

static void pack_text(struct packer *packer, size_t at)
{
	const char *text = NULL;

	if (packer->failed)
		return;
	memcpy(&text, packer->bytes + at, sizeof(text));
	if (text)
		set_offset(packer, at, put(packer, text, strlen(text) + 1));
}

/* An array of `count` items that the pointer at `at` leads to; where it stands now. */
static size_t pack_array(struct packer *packer, size_t at, size_t count, size_t size)
{
	const void *items = NULL;
	size_t here;

	if (packer->failed)
		return 0;
	memcpy(&items, packer->bytes + at, sizeof(items));
	here = count ? put(packer, items, count * size) : 0;
	set_offset(packer, at, here);
	return here;
}

static void pack_texts(struct packer *packer, size_t at, size_t count)
{
	size_t items = pack_array(packer, at, count, sizeof(char *));

	for (size_t i = 0; i < count; i++)
		pack_text(packer, items + i * sizeof(char *));
}

static void pack_members(struct packer *packer, size_t at, const struct member *members,
			 size_t count)
{
	for (size_t i = 0; i < count && !packer->failed; i++) {
		struct string_list list;

		if (!members[i].is_list) {
			pack_text(packer, at + members[i].at);
			continue;
		}
		memcpy(&list, packer->bytes + at + members[i].at, sizeof(list));
		pack_texts(packer, at + members[i].at + offsetof(struct string_list, items),
			   list.count);
	}
}

static void pack_policy(struct packer *packer, size_t at, const struct policy *policy)
{
	size_t binds = pack_array(packer, at + offsetof(struct policy, binds), policy->bind_count,
				  sizeof(struct bind_mount));

	for (size_t i = 0; i < policy->bind_count; i++)
		pack_members(packer, binds + i * sizeof(struct bind_mount), of_bind,
			     ARRAY_LENGTH(of_bind));
	pack_members(packer, at, of_policy, ARRAY_LENGTH(of_policy));
}

static void pack_all(struct packer *packer, const struct config *config)
{
	const size_t top = offsetof(struct image, config);
	size_t at = pack_array(packer, top + offsetof(struct config, policies),
			       config->policy_count, sizeof(struct policy));

	for (size_t i = 0; i < config->policy_count; i++)
		pack_policy(packer, at + i * sizeof(struct policy), &config->policies[i]);
	at = pack_array(packer, top + offsetof(struct config, pools), config->pool_count,
			sizeof(struct pool));
	for (size_t i = 0; i < config->pool_count; i++)
		pack_members(packer, at + i * sizeof(struct pool), of_pool, ARRAY_LENGTH(of_pool));
	pack_texts(packer, top + offsetof(struct config, files), config->file_count);
	pack_members(packer, top, of_config, ARRAY_LENGTH(of_config));
}

void *config_pack(const struct config *config, size_t *length)
{
	struct image image = {.magic = IMAGE_MAGIC, .sizes = SIZES, .config = *config};
	struct packer packer = {0};

	image.config.image = NULL;
	(void)put(&packer, &image, sizeof(image));
	pack_all(&packer, config);
	(void)put(&packer, "", 1); /* so that every text ends within */
	if (packer.failed) {
		free(packer.bytes);
		return NULL;
	}
	*length = packer.used;
	return packer.bytes;
}

/* ---- unpacking ------------------------------------------------------------------------------ */

struct reader {
	char *bytes;
	size_t length;
};

/* The pointer at `field` leads to `count` items of `size` bytes, all within. */
static bool find(const struct reader *reader, void *field, size_t count, size_t size)
{
	uintptr_t offset;
	void *found = NULL;

	memcpy(&offset, field, sizeof(offset));
	if (offset != 0) {
		if (offset < sizeof(struct image) || offset % ALIGNMENT != 0 ||
		    offset >= reader->length || count > (reader->length - offset) / size)
			return false;
		found = reader->bytes + offset;
	} else if (count) {
		return false;
	}
	memcpy(field, &found, sizeof(void *));
	return true;
}

/* The last byte is a NUL, so a text that begins within ends within. */
static bool find_text(const struct reader *reader, void *field)
{
	uintptr_t offset;

	memcpy(&offset, field, sizeof(offset));
	return find(reader, field, offset != 0, 1);
}

static bool find_texts(const struct reader *reader, char ***items, size_t count)
{
	if (!find(reader, items, count, sizeof(char *)))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!find_text(reader, &(*items)[i]) || !(*items)[i])
			return false;
	return true;
}

static bool find_members(const struct reader *reader, void *structure, const struct member *members,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *field = (char *)structure + members[i].at;
		struct string_list *list = field;

		if (members[i].is_list ? !find_texts(reader, &list->items, list->count)
				       : !find_text(reader, field))
			return false;
	}
	return true;
}

static bool find_policy(const struct reader *reader, struct policy *policy)
{
	if (!find(reader, &policy->binds, policy->bind_count, sizeof(*policy->binds)) ||
	    !find_members(reader, policy, of_policy, ARRAY_LENGTH(of_policy)) || !policy->name)
		return false;
	for (size_t i = 0; i < policy->bind_count; i++)
		if (!find_members(reader, &policy->binds[i], of_bind, ARRAY_LENGTH(of_bind)))
			return false;
	return true;
}

static bool find_all(const struct reader *reader, struct config *config)
{
	if (!find(reader, &config->policies, config->policy_count, sizeof(*config->policies)) ||
	    !find(reader, &config->pools, config->pool_count, sizeof(*config->pools)) ||
	    !find_texts(reader, &config->files, config->file_count) ||
	    !find_members(reader, config, of_config, ARRAY_LENGTH(of_config)) || !config->state_dir)
		return false;
	for (size_t i = 0; i < config->policy_count; i++)
		if (!find_policy(reader, &config->policies[i]))
			return false;
	for (size_t i = 0; i < config->pool_count; i++)
		if (!find_members(reader, &config->pools[i], of_pool, ARRAY_LENGTH(of_pool)))
			return false;
	return true;
}

struct config *config_unpack(void *block, void *bytes, size_t length)
{
	const struct reader reader = {bytes, length};
	struct image *image = bytes;

	if (length <= sizeof(*image) || reader.bytes[length - 1] != '\0' ||
	    image->magic != IMAGE_MAGIC || image->sizes != SIZES ||
	    !find_all(&reader, &image->config))
		return NULL;
	image->config.image = block;
	return &image->config;
}
