/* account/account.c - an account as bytes, for another program of ours. */
#include "account/account.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

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

void account_free(struct account *account)
{
	if (!account)
		return;
	for (size_t i = 0; i < account->group_count; i++)
		free(account->groups[i].name);
	free(account->groups);
	free(account->name);
	free(account->home);
	free(account->shell);
	free(account->gecos);
	free(account);
}
