/* helper/init/account_step.c - bring a user's entries into the container's passwd and group. */
#include "helper/init/account_step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define ACCOUNT_FILE_MAX (1024 * 1024)

static const char *group_name(const struct account_group *group)
{
	return group->name ? group->name : "";
}

void *account_pack(const struct account *account, size_t *length)
{
	const char *texts[] = {account->name, account->gecos, account->home, account->shell};
	uint32_t numbers[3] = {account->uid, account->gid, (uint32_t)account->group_count};
	size_t size = sizeof(numbers) + account->group_count * sizeof(uint32_t);
	char *data, *at;

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		size += strlen(texts[i]) + 1;
	for (size_t i = 0; i < account->group_count; i++)
		size += strlen(group_name(&account->groups[i])) + 1;
	data = malloc(size);
	if (!data)
		return NULL;
	at = mempcpy(data, numbers, sizeof(numbers));
	for (size_t i = 0; i < account->group_count; i++)
		at = mempcpy(at, &(uint32_t){account->groups[i].gid}, sizeof(uint32_t));
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		at = mempcpy(at, texts[i], strlen(texts[i]) + 1);
	for (size_t i = 0; i < account->group_count; i++)
		at = mempcpy(at, group_name(&account->groups[i]),
			     strlen(group_name(&account->groups[i])) + 1);
	*length = size;
	return data;
}

/* The next string, or NULL when none ends before the end. */
static char *next_text(const char **at, const char *end)
{
	const char *text = *at;
	const char *nul = memchr(text, '\0', (size_t)(end - text));

	if (!nul)
		return NULL;
	*at = nul + 1;
	return (char *)(uintptr_t)text;
}

struct account *account_unpack(const void *data, size_t length)
{
	const char *at = data, *end = at + length;
	struct account *account;
	uint32_t numbers[3], gid;
	bool whole;

	if (length < sizeof(numbers))
		return NULL;
	memcpy(numbers, at, sizeof(numbers));
	at += sizeof(numbers);
	if (numbers[2] > (size_t)(end - at) / sizeof(gid))
		return NULL;
	account = calloc(1, sizeof(*account) + numbers[2] * sizeof(struct account_group));
	if (!account)
		return NULL;
	account->uid = numbers[0];
	account->gid = numbers[1];
	account->group_count = numbers[2];
	account->groups = (struct account_group *)(account + 1);
	for (size_t i = 0; i < account->group_count; i++, at += sizeof(gid)) {
		memcpy(&gid, at, sizeof(gid));
		account->groups[i].gid = gid;
	}
	whole = (account->name = next_text(&at, end)) && (account->gecos = next_text(&at, end)) &&
		(account->home = next_text(&at, end)) && (account->shell = next_text(&at, end));
	for (size_t i = 0; whole && i < account->group_count; i++) {
		account->groups[i].name = next_text(&at, end);
		whole = account->groups[i].name != NULL;
		if (whole && !*account->groups[i].name)
			account->groups[i].name = NULL;
	}
	if (whole && at == end)
		return account;
	free(account);
	errno = EBADMSG;
	return NULL;
}

/*
 * In a container with root = yes these files are its root's: they may be anything. Only a regular
 * file is read, without waiting (O_NONBLOCK), and only up to a size.
 */
static char *read_old(int folder, const char *name)
{
	_cleanup_close_ int fd =
	    openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct failure why;
	struct stat status;
	char *text;

	if (fd < 0)
		return errno == ENOENT ? strdup("") : NULL;
	if (fstat(fd, &status) < 0)
		return NULL;
	if (!S_ISREG(status.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	text = file_read(fd, ACCOUNT_FILE_MAX, NULL, name, &why);
	if (!text)
		errno = why.error ? why.error : EFBIG;
	return text;
}

static bool write_new(int folder, const char *name, const char *old_text, const char *text)
{
	struct failure why;

	if (strcmp(old_text, text) == 0)
		return true;
	if (file_replace_at(folder, name, text, strlen(text), 0644, false, &why))
		return true;
	errno = why.error ? why.error : EIO;
	return false;
}

bool account_merge(const char *folder, const struct account *account)
{
	static const struct id_map every_gid = {.lines = {{0, 0, UINT32_MAX}}, .count = 1};
	_cleanup_close_ int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *old_passwd = NULL, *old_group = NULL, *passwd = NULL, *group = NULL;
	struct failure why;

	if (dir < 0)
		return false;
	old_passwd = read_old(dir, "passwd");
	old_group = old_passwd ? read_old(dir, "group") : NULL;
	if (!old_group)
		return false;
	passwd = passwd_merge(old_passwd, account, NULL, NULL, &why);
	group = passwd ? group_merge(old_group, account, &every_gid, &why) : NULL;
	if (!group) {
		errno = why.error ? why.error : EINVAL;
		return false;
	}
	return write_new(dir, "passwd", old_passwd, passwd) &&
	       write_new(dir, "group", old_group, group);
}
