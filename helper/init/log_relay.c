/* helper/init/log_relay.c - pass log lines from inside to the host's log, marked and in measure. */
#include "helper/init/log_relay.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include "helper/events/events.h"
#include "helper/init/sessions.h"

#define LINE_MAX_BYTES 2048
#define PRIORITY_MAX   191 /* RFC 3164: facility 23, severity 7 */

/* Length of "<PRI>", with the number in *priority; 0 when the line does not begin so. */
static size_t parse_priority(const char *line, size_t length, int *priority)
{
	size_t at = 1;
	int number = 0;

	if (length < 3 || line[0] != '<')
		return 0;
	while (at < length && at < 5 && isdigit((unsigned char)line[at]))
		number = number * 10 + (line[at++] - '0');
	if (at == 1 || at >= length || line[at] != '>' || number > PRIORITY_MAX)
		return 0;
	*priority = number;
	return at + 1;
}

/* The host's log has its own time: "Mon dd hh:mm:ss " as RFC 3164 has it is left out. */
static size_t timestamp_length(const char *line, size_t length)
{
	static const char shape[] = "Aaa 99 99:99:99 ";

	if (length < sizeof(shape) - 1)
		return 0;
	for (size_t i = 0; i < sizeof(shape) - 1; i++) {
		unsigned char byte = (unsigned char)line[i];
		bool fits = shape[i] == '9'                    ? isdigit(byte) || byte == ' '
			    : isalpha((unsigned char)shape[i]) ? isalpha(byte)
							       : byte == (unsigned char)shape[i];

		if (!fits)
			return 0;
	}
	return sizeof(shape) - 1;
}

int log_relay_line(const char *line, size_t length, char *out, size_t size)
{
	int priority = LOG_USER | LOG_NOTICE;
	size_t at = parse_priority(line, length, &priority), used = 0;

	at += timestamp_length(line + at, length - at);
	if ((priority & LOG_FACMASK) == LOG_KERN)
		priority = LOG_USER | LOG_PRI(priority);
	while (length > at && (line[length - 1] == '\n' || line[length - 1] == '\0'))
		length--;
	for (; at < length && used + 1 < size; at++) {
		unsigned char byte = (unsigned char)line[at];

		out[used++] = byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
	}
	out[used] = '\0';
	return priority;
}

static void refill(struct log_relay *relay)
{
	uint64_t now = boottime_seconds();

	if (now > relay->refilled) {
		relay->tokens += (now - relay->refilled) * LOG_RELAY_PER_SECOND;
		if (relay->tokens > LOG_RELAY_BURST)
			relay->tokens = LOG_RELAY_BURST;
		relay->refilled = now;
	}
}

static void tell_dropped(struct log_relay *relay)
{
	char text[80];

	if (relay->dropped == 0)
		return;
	(void)snprintf(text, sizeof(text), "%llu log lines from inside were left out",
		       (unsigned long long)relay->dropped);
	relay->dropped = 0;
	(void)syslog_send(relay->host, LOG_AUTHPRIV | LOG_WARNING, relay->tag, text);
}

void log_relay_take(struct log_relay *relay, int socket)
{
	char line[LINE_MAX_BYTES], text[LINE_MAX_BYTES];

	refill(relay);
	for (int i = 0; i < LOG_RELAY_BURST; i++) {
		ssize_t length = recv(socket, line, sizeof(line), MSG_DONTWAIT);
		int priority;

		if (length <= 0)
			return;
		if (relay->tokens == 0 || relay->host < 0) {
			relay->dropped++;
			continue;
		}
		relay->tokens--;
		tell_dropped(relay);
		priority = log_relay_line(line, (size_t)length, text, sizeof(text));
		(void)syslog_send(relay->host, priority, relay->tag, text);
	}
}
