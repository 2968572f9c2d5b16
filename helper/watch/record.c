/* helper/watch/record.c - a login as utmp(5) has it. */
#include "helper/watch/record.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* utmp's fields end with the field or a NUL. */
static void put(char *field, size_t size, const char *text)
{
	memset(field, 0, size);
	for (size_t i = 0; i < size && text[i]; i++) {
		unsigned char byte = (unsigned char)text[i];

		field[i] = (char)(byte <= ' ' || byte == 0x7f ? '?' : byte);
	}
}

/*
 * Four bytes for 22 bits of pid (pid_max is at most 4194304, proc(5)). The first is never one that
 * the end of a terminal's name could begin with.
 */
static void id_from_pid(pid_t pid, char id[4])
{
	static const char digits[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-";
	static const char first[] = "!#$%&*+,:;<=>?@^";
	unsigned number = (unsigned)pid;

	id[0] = first[number >> 18 & 15];
	for (int i = 3; i > 0; i--, number >>= 6)
		id[i] = digits[number & 63];
}

/* As login(1) does: the end of the terminal's name. */
static void id_from_line(const char *line, char id[4])
{
	size_t length = strlen(line);

	put(id, 4, length > 4 ? line + length - 4 : line);
}

static void put_address(const char *host, struct utmpx *record)
{
	memset(record->ut_addr_v6, 0, sizeof(record->ut_addr_v6));
	if (inet_pton(AF_INET, host, record->ut_addr_v6) != 1)
		(void)inet_pton(AF_INET6, host, record->ut_addr_v6);
}

static void put_time(int64_t seconds, struct utmpx *record)
{
	record->ut_tv.tv_sec = (int32_t)seconds; /* 32 bits in the file, also on 64-bit machines */
	record->ut_tv.tv_usec = 0;
}

void record_login(const struct login_facts *facts, const char *id, int64_t seconds,
		  struct utmpx *record)
{
	char line[sizeof(record->ut_line) + 1];

	memset(record, 0, sizeof(*record));
	record->ut_type = USER_PROCESS;
	record->ut_pid = facts->pid;
	record->ut_session = facts->session;
	if (id)
		memcpy(record->ut_id, id, sizeof(record->ut_id));
	else if (*facts->line)
		id_from_line(facts->line, record->ut_id);
	else
		id_from_pid(facts->pid, record->ut_id);
	(void)snprintf(line, sizeof(line), "carrel:%d", facts->pid);
	put(record->ut_line, sizeof(record->ut_line), *facts->line ? facts->line : line);
	put(record->ut_user, sizeof(record->ut_user), facts->user);
	put(record->ut_host, sizeof(record->ut_host), facts->host);
	put_address(facts->host, record);
	put_time(seconds, record);
}

void record_logout(int64_t seconds, struct utmpx *record)
{
	record->ut_type = DEAD_PROCESS;
	memset(record->ut_user, 0, sizeof(record->ut_user));
	memset(record->ut_host, 0, sizeof(record->ut_host));
	memset(record->ut_addr_v6, 0, sizeof(record->ut_addr_v6));
	put_time(seconds, record);
}
