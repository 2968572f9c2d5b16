/* helper/watch/audit.c - a login in the records of the kernel's audit. */
#include "helper/watch/audit.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/paths.h"
#include "wire/wire.h"

/* Of libaudit's list (audit-records.h); the kernel's header names only the range, 1100 to 1199. */
#define AUDIT_USER_START  1105
#define AUDIT_USER_END    1106
#define AUDIT_USER_LOGIN  1112
#define AUDIT_USER_LOGOUT 1113

/* audit's programs read such a name as hexadecimal digits (audit_value_needs_encoding(3)). */
static bool needs_digits(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || (unsigned char)*name >= 0x7f || *name == '"')
			return true;
	return false;
}

static void put_name(const char *name, char text[static 2 * WIRE_NAME_MAX + 3])
{
	size_t length = strnlen(name, WIRE_NAME_MAX);

	if (!needs_digits(name)) {
		(void)snprintf(text, 2 * WIRE_NAME_MAX + 3, "\"%.*s\"", (int)length, name);
		return;
	}
	for (size_t i = 0; i < length; i++)
		(void)snprintf(text + 2 * i, 3, "%02X", (unsigned char)name[i]);
}

/* What has no quotes around it holds only what names of hosts, addresses and terminals have. */
static void put_word(const char *word, char text[static WIRE_NAME_MAX + 1])
{
	size_t length = strnlen(word, WIRE_NAME_MAX);

	for (size_t i = 0; i < length; i++)
		text[i] = (word[i] >= 'a' && word[i] <= 'z') ||
				  (word[i] >= 'A' && word[i] <= 'Z') ||
				  (word[i] >= '0' && word[i] <= '9') || strchr(".:-_/%", word[i])
			      ? word[i]
			      : '?';
	text[length] = '\0';
	if (length == 0)
		memcpy(text, "?", 2);
}

static bool is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

void audit_text(const struct login_facts *facts, const char *op, char text[static AUDIT_TEXT_MAX])
{
	char user[2 * WIRE_NAME_MAX + 3] = "", host[WIRE_NAME_MAX + 1], tty[WIRE_NAME_MAX + 1];

	put_name(facts->user, user);
	put_word(facts->host, host);
	put_word(facts->tty, tty);
	(void)snprintf(text, AUDIT_TEXT_MAX,
		       "op=%s acct=%s exe=\"%s\" hostname=%s addr=%s terminal=%s res=success", op,
		       user, CARREL_WATCH, host, is_address(facts->host) ? host : "?", tty);
}

int audit_open_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
}

/* Without NLM_F_ACK the kernel answers only what it refuses, and nobody waits for that. */
static void send_record(int audit, int type, const struct login_facts *facts, const char *op)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct {
		struct nlmsghdr header;
		char text[AUDIT_TEXT_MAX];
	} message = {.header = {.nlmsg_type = (unsigned short)type, .nlmsg_flags = NLM_F_REQUEST}};

	audit_text(facts, op, message.text);
	message.header.nlmsg_len = NLMSG_LENGTH(strlen(message.text) + 1);
	(void)sendto(audit, &message, message.header.nlmsg_len, MSG_NOSIGNAL,
		     (const struct sockaddr *)&kernel, sizeof(kernel));
}

/* PAM's own records (pam(8)) and those of a login service, which audit's reports are made from. */
void audit_begin(int audit, const struct login_facts *facts)
{
	send_record(audit, AUDIT_USER_START, facts, "PAM:session_open grantors=pam_carrel");
	send_record(audit, AUDIT_USER_LOGIN, facts, "login");
}

void audit_end(int audit, const struct login_facts *facts)
{
	send_record(audit, AUDIT_USER_END, facts, "PAM:session_close grantors=pam_carrel");
	send_record(audit, AUDIT_USER_LOGOUT, facts, "logout");
}
