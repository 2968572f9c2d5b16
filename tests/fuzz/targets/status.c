/* targets/status.c - what a container says on its status socket, which its root can imitate. */
/* Sources: helper/init/status.c helper/registry/record.c base/failure.c */
#include "helper/init/status.h"
#include "tests/fuzz/targets/fuzz.h"

/* helper/storage/usage.c has it, among much that talks to the system. */
void storage_usage_clear(struct storage_usage *usage)
{
	memset(usage, 0xff, sizeof(*usage));
}

static void check_session(const struct status_session *session)
{
	const char *words[] = {session->user, session->service, session->tty, session->rhost};

	for (size_t i = 0; i < 4; i++)
		MUST(words[i][0] && strlen(words[i]) <= 64 && !strchr(words[i], ','));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct container_status status, again;
	static struct record text;

	memset(&text, 0, sizeof(text));
	text.length = size < RECORD_SIZE ? size : RECORD_SIZE - 1;
	memcpy(text.text, data, text.length);
	if (!status_parse(&text, &status))
		return 0;
	MUST(status.session_room <= STATUS_SESSIONS_MAX);
	for (size_t i = 0; i < status.session_room; i++)
		check_session(&status.sessions[i]);
	/* What was understood can be said, and is then understood to be the same. */
	MUST(status_format(&status, &text) && status_parse(&text, &again));
	MUST(strcmp(again.name, status.name) == 0 && strcmp(again.state, status.state) == 0);
	MUST(again.session_count == status.session_count && again.started_at == status.started_at);
	MUST(memcmp(&again.held, &status.held, sizeof(again.held)) == 0);
	/* Bytes that should have been escaped take more room now. */
	MUST(again.session_room <= status.session_room);
	for (size_t i = 0; i < again.session_room; i++) {
		MUST(again.sessions[i].since == status.sessions[i].since);
		MUST(again.sessions[i].left_seconds == status.sessions[i].left_seconds);
		MUST(strcmp(again.sessions[i].user, status.sessions[i].user) == 0);
		MUST(strcmp(again.sessions[i].rhost, status.sessions[i].rhost) == 0);
	}
	return 0;
}
