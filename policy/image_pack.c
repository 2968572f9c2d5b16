/* policy/image_pack.c - put a config into one piece of bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/image.h"
#include "policy/image_format.h"

#define IMAGE_MOST (64u << 20)

static size_t round_up(size_t length)
{
	return (length + IMAGE_ALIGNMENT - 1) & ~(size_t)(IMAGE_ALIGNMENT - 1);
}

struct packer {
	char *bytes; /* zero behind what is used */
	size_t used, size;
	bool failed;
};

/* Append; where it stands. 0, at which only what came first can be, after a failure. */
static size_t put(struct packer *packer, const void *data, size_t length)
{
	size_t at = round_up(packer->used);

	if (packer->failed || length > IMAGE_MOST || at + length > IMAGE_MOST) {
		packer->failed = true;
		return 0;
	}
	if (at + length > packer->size) {
		size_t size = 2 * round_up(at + length) + 512;
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

static void pack_members(struct packer *packer, size_t at, const struct members *members)
{
	for (size_t i = 0; i < members->count && !packer->failed; i++) {
		struct string_list list;

		if (!members->items[i].is_list) {
			pack_text(packer, at + members->items[i].at);
			continue;
		}
		memcpy(&list, packer->bytes + at + members->items[i].at, sizeof(list));
		pack_texts(packer, at + members->items[i].at + offsetof(struct string_list, items),
			   list.count);
	}
}

static void pack_policy(struct packer *packer, const struct policy *policy)
{
	size_t binds;

	(void)put(packer, policy, sizeof(*policy));
	binds = pack_array(packer, offsetof(struct policy, binds), policy->bind_count,
			   sizeof(struct bind_mount));
	for (size_t i = 0; i < policy->bind_count; i++)
		pack_members(packer, binds + i * sizeof(struct bind_mount), &members_of_bind);
	pack_members(packer, 0, &members_of_policy);
}

/* All but the policies and the names of the files, which nobody asks for who takes up an image. */
static void pack_config(struct packer *packer, const struct config *config)
{
	struct config rest = *config;
	size_t pools;

	rest.policies = NULL;
	rest.files = NULL;
	rest.image = NULL;
	rest.policy_count = rest.file_count = 0;
	(void)put(packer, &rest, sizeof(rest));
	pools = pack_array(packer, offsetof(struct config, pools), config->pool_count,
			   sizeof(struct pool));
	for (size_t i = 0; i < config->pool_count; i++)
		pack_members(packer, pools + i * sizeof(struct pool), &members_of_pool);
	pack_members(packer, 0, &members_of_config);
}

/* Put what was packed apart into the image, with a NUL at its end so that every text ends within.
 */
static struct part put_part(struct packer *image, struct packer *apart)
{
	struct part part = {0};

	(void)put(apart, "", 1);
	image->failed |= apart->failed;
	part.length = round_up(apart->used);
	part.at = put(image, apart->bytes, image->failed ? 0 : part.length);
	free(apart->bytes);
	return part;
}

static size_t count_names(const struct policy *policy)
{
	return policy->users.count + policy->groups.count;
}

/* Its names behind the *count that are there. */
static struct entry put_policy(struct packer *image, const struct policy *policy, uint32_t *names,
			       size_t *count)
{
	const struct string_list *lists[] = {&policy->users, &policy->groups};
	struct entry entry = {.first_name = (uint32_t)*count,
			      .name_count = (uint32_t)count_names(policy)};
	struct packer apart = {0};

	for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
		for (size_t j = 0; j < lists[i]->count; j++)
			names[(*count)++] = name_hash(lists[i]->items[j]);
	pack_policy(&apart, policy);
	entry.policy = put_part(image, &apart);
	return entry;
}

static struct part put_array(struct packer *image, const void *items, size_t length)
{
	struct part part = {.at = put(image, items, length), .length = round_up(length)};

	(void)put(image, "", 0); /* up to the end of the part */
	return part;
}

static void seal_part(char *bytes, size_t length, struct part *part)
{
	if (image_part_fits(part, length))
		part->sum = image_sum(bytes + part->at, part->length);
}

void config_image_seal(void *bytes, size_t length)
{
	struct head head;

	if (length < sizeof(head))
		return;
	memcpy(&head, bytes, sizeof(head));
	for (size_t i = 0; image_part_fits(&head.entries, length) &&
			   i < head.entries.length / sizeof(struct entry);
	     i++) {
		char *at = (char *)bytes + head.entries.at + i * sizeof(struct entry);
		struct entry entry;

		memcpy(&entry, at, sizeof(entry));
		seal_part(bytes, length, &entry.policy);
		memcpy(at, &entry, sizeof(entry));
	}
	seal_part(bytes, length, &head.config);
	seal_part(bytes, length, &head.entries);
	seal_part(bytes, length, &head.names);
	head.sum = image_sum(&head, offsetof(struct head, sum));
	memcpy(bytes, &head, sizeof(head));
}

void *config_pack(const struct config *config, size_t *length)
{
	struct head head = {.magic = IMAGE_MAGIC, .sizes = SIZES};
	struct packer image = {0}, apart = {0};
	_cleanup_free_ struct entry *entries = calloc(config->policy_count + 1, sizeof(*entries));
	_cleanup_free_ uint32_t *names = NULL;
	size_t count = 0;

	for (size_t i = 0; i < config->policy_count; i++)
		count += count_names(&config->policies[i]);
	names = calloc(count + 1, sizeof(*names));
	image.failed = !entries || !names;
	(void)put(&image, &head, sizeof(head));
	count = 0;
	for (size_t i = 0; i < config->policy_count && !image.failed; i++)
		entries[i] = put_policy(&image, &config->policies[i], names, &count);
	pack_config(&apart, config);
	head.config = put_part(&image, &apart);
	head.entries = put_array(&image, entries, config->policy_count * sizeof(*entries));
	head.names = put_array(&image, names, count * sizeof(*names));
	if (image.failed) {
		free(image.bytes);
		return NULL;
	}
	memcpy(image.bytes, &head, sizeof(head));
	config_image_seal(image.bytes, image.used);
	*length = image.used;
	return image.bytes;
}
