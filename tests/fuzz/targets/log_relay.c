/* targets/log_relay.c - log lines from inside a container. */
/* Sources: helper/init/log_relay.c */
#include <syslog.h>

#include "helper/events/events.h"
#include "helper/init/log_relay.h"
#include "helper/init/sessions.h"
#include "tests/fuzz/targets/fuzz.h"

/* What the part that talks to sockets would need. */
uint64_t boottime_seconds(void)
{
	return 0;
}

bool syslog_send(int socket, int priority, const char *tag, const char *text)
{
	return socket < 0 && priority && tag && text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = fuzz_copy(data, size);

	for (size_t room = 1; room < 80; room += 39) {
		char *out = malloc(room);
		int priority;

		MUST(out);
		priority = log_relay_line(line, size, out, room);
		MUST(priority >= 0 && priority < 192 && (priority & LOG_FACMASK) != LOG_KERN);
		MUST(strlen(out) < room);
		for (const char *at = out; *at; at++)
			MUST((unsigned char)*at >= ' ' && *at != 0x7f);
		free(out);
	}
	free(line);
	return 0;
}
