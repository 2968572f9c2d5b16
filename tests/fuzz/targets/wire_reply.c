/* targets/wire_reply.c - what the helper answers a login service. */
/* Sources: wire/cursor.c wire/reply.c */
#include "base/failure.h"
#include "tests/fuzz/targets/fuzz.h"
#include "wire/wire.h"

static void check(const struct wire_reply *reply)
{
	MUST(reply->failure_kind < FAILURE_KIND_COUNT && reply->allow_root <= 1);
	MUST(reply->umask <= 0777 || reply->umask == WIRE_UMASK_UNSET);
	MUST(reply->fd_count == (reply->action == WIRE_CONTAIN ? WIRE_FD_COUNT : 0));
	MUST((reply->action == WIRE_CONTAIN) == (reply->namespaces != 0));
	MUST(reply->env_count <= WIRE_ENV_MAX);
	for (size_t i = 0; i < reply->env_count; i++)
		MUST(reply->env[i][0] && reply->env[i][0] != '=');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_reply reply, again; /* too large for a stack with red zones */
	unsigned char message[WIRE_MAX];
	void *copy = fuzz_copy(data, size);
	size_t length;

	if (wire_decode_reply(copy, size, &reply)) {
		check(&reply);
		MUST(wire_encode_reply(&reply, message, sizeof(message)) == size);
		MUST(memcmp(message, data, size) == 0);
		MUST(size == 0 || wire_encode_reply(&reply, message, size - 1) == 0);
	} else {
		MUST(fuzz_is_zero(&reply, sizeof(reply)));
	}
	free(copy);

	memset(&reply, 0, sizeof(reply));
	memcpy(&reply, data, size < sizeof(reply) ? size : sizeof(reply));
	length = wire_encode_reply(&reply, message, sizeof(message));
	MUST(!length || wire_decode_reply(message, length, &again));
	return 0;
}
