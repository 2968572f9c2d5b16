/* policy/image.c - a config that is taken up without parsing, from one piece of bytes. */
#include "policy/image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "policy/image_format.h"

struct unpacked {
	struct unpacked *next;
	struct policy policy; /* with what it leads to behind it */
};

struct config_image {
	const char *bytes;
	size_t length;
	const struct entry *entries; /* in the order of the policies */
	size_t entry_count;
	const uint32_t *names;
	size_t name_count;
	struct unpacked *unpacked; /* the policies that were asked for */
	void *map;
	size_t map_length;
};

uint32_t name_hash(const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

void name_filter_add(struct name_filter *filter, const char *name)
{
	const uint32_t bit = name_hash(name) >> 16;

	filter->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool may_contain(const struct name_filter *filter, uint32_t hash)
{
	return filter->bits[(hash >> 16) / 64] >> (hash >> 16) % 64 & 1;
}

/* A part that was copied, and how much of it is the struct at its begin. */
struct reader {
	char *bytes;
	size_t length, first;
};

/* The pointer at `field` leads to `count` items of `size` bytes, all within. */
static bool find(const struct reader *reader, void *field, size_t count, size_t size)
{
	uintptr_t offset;
	void *found = NULL;

	memcpy(&offset, field, sizeof(offset));
	if (offset != 0) {
		if (offset < reader->first || offset % IMAGE_ALIGNMENT != 0 ||
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

static bool find_members(const struct reader *reader, void *structure,
			 const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		void *field = (char *)structure + members->items[i].at;
		struct string_list *list = field;

		if (members->items[i].is_list ? !find_texts(reader, &list->items, list->count)
					      : !find_text(reader, field))
			return false;
	}
	return true;
}

/* What stands in a byte that should be a bool: another value than these is undefined. */
static bool is_bool(const bool *value)
{
	unsigned char byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

static bool has_sound_values(const struct policy *policy)
{
	return is_bool(&policy->root) && (unsigned)policy->action <= POLICY_DENY &&
	       (unsigned)policy->home <= HOME_TMPFS && (unsigned)policy->network <= NETWORK_NAT &&
	       hours_are_sound(&policy->time.hours);
}

static bool find_policy(const struct reader *reader, struct policy *policy)
{
	if (!has_sound_values(policy) ||
	    !find(reader, &policy->binds, policy->bind_count, sizeof(*policy->binds)) ||
	    !find_members(reader, policy, &members_of_policy) || !policy->name)
		return false;
	for (size_t i = 0; i < policy->bind_count; i++)
		if (!is_bool(&policy->binds[i].readonly) ||
		    !find_members(reader, &policy->binds[i], &members_of_bind))
			return false;
	return true;
}

static bool find_config(const struct reader *reader, struct config *config)
{
	if (!is_bool(&config->unmatched_deny) || (unsigned)config->storage > STORAGE_PLAIN ||
	    config->policies || config->policy_count || config->files || config->file_count ||
	    !find(reader, &config->pools, config->pool_count, sizeof(*config->pools)) ||
	    !find_members(reader, config, &members_of_config) || !config->state_dir)
		return false;
	for (size_t i = 0; i < config->pool_count; i++)
		if (!find_members(reader, &config->pools[i], &members_of_pool) ||
		    !config->pools[i].name)
			return false;
	return true;
}

static bool is_whole(const struct config_image *image, const struct part *part)
{
	return image_part_fits(part, image->length) &&
	       image_sum(image->bytes + part->at, part->length) == part->sum;
}

/* A copy of a part that begins with a struct of so many bytes, behind `room` bytes. */
static char *copy_part(const struct config_image *image, const struct part *part, size_t first,
		       size_t room)
{
	char *copy;

	if (!is_whole(image, part) || part->length <= first ||
	    image->bytes[part->at + part->length - 1] != '\0')
		return NULL;
	copy = malloc(room + part->length);
	if (copy)
		memcpy(copy + room, image->bytes + part->at, part->length);
	return copy;
}

static struct config *unpack_config(const struct config_image *image, const struct part *part)
{
	struct config *config = (struct config *)copy_part(image, part, sizeof(*config), 0);
	const struct reader reader = {(char *)config, part->length, sizeof(*config)};

	if (config && find_config(&reader, config))
		return config;
	free(config);
	return NULL;
}

static bool read_head(struct config_image *image, struct part *config)
{
	struct head head;

	if (image->length < sizeof(head))
		return false;
	memcpy(&head, image->bytes, sizeof(head));
	if (head.magic != IMAGE_MAGIC || head.sizes != SIZES ||
	    head.sum != image_sum(&head, offsetof(struct head, sum)) ||
	    !is_whole(image, &head.entries) || !is_whole(image, &head.names))
		return false;
	image->entries = (const void *)(image->bytes + head.entries.at);
	image->entry_count = head.entries.length / sizeof(*image->entries);
	image->names = (const void *)(image->bytes + head.names.at);
	image->name_count = head.names.length / sizeof(*image->names);
	*config = head.config;
	return true;
}

struct config *config_unpack(const void *bytes, size_t length)
{
	struct config_image *image = calloc(1, sizeof(*image));
	struct config *config = NULL;
	struct part part;

	if (!image)
		return NULL;
	image->bytes = bytes;
	image->length = length;
	if (read_head(image, &part))
		config = unpack_config(image, &part);
	if (config)
		config->image = image;
	else
		free(image);
	return config;
}

void config_image_own(struct config *config, void *map, size_t length)
{
	config->image->map = map;
	config->image->map_length = length;
}

void config_image_free(struct config *config)
{
	struct config_image *image = config->image;

	for (struct unpacked *at = image->unpacked, *next; at; at = next) {
		next = at->next;
		free(at);
	}
	if (image->map)
		(void)munmap(image->map, image->map_length);
	free(image);
	free(config);
}

/* ---- the policies of an image --------------------------------------------------------------- */

size_t config_image_count(const struct config_image *image)
{
	return image->entry_count;
}

bool config_image_may_match(const struct config_image *image, size_t index,
			    const struct name_filter *names)
{
	const struct entry *entry = &image->entries[index];

	if (entry->name_count == 0 || entry->first_name > image->name_count ||
	    entry->name_count > image->name_count - entry->first_name)
		return true;
	for (size_t i = 0; i < entry->name_count; i++)
		if (may_contain(names, image->names[entry->first_name + i]))
			return true;
	return false;
}

const struct policy *config_image_policy(struct config_image *image, size_t index)
{
	const struct part *part = &image->entries[index].policy;
	struct unpacked *unpacked = (struct unpacked *)copy_part(image, part, sizeof(struct policy),
								 offsetof(struct unpacked, policy));
	struct reader reader = {.length = part->length, .first = sizeof(struct policy)};

	if (!unpacked)
		return NULL;
	reader.bytes = (char *)&unpacked->policy;
	if (!find_policy(&reader, &unpacked->policy)) {
		free(unpacked);
		return NULL;
	}
	unpacked->next = image->unpacked;
	image->unpacked = unpacked;
	return &unpacked->policy;
}
