/* targets/wire_request.c - what a login service sends to the helper. */
/* Sources: wire/cursor.c wire/request.c */
#include "tests/fuzz/targets/fuzz.h"
#include "wire/wire.h"

/* Any struct that encodes decodes to the same. */
static void encode_any(const uint8_t *data, size_t size)
{
	struct wire_request request = {0}, again;
	static unsigned char message[WIRE_REQUEST_MAX];
	size_t length;

	memcpy(&request, data, size < sizeof(request) ? size : sizeof(request));
	request.account = size ? data : NULL;
	request.account_length = size;
	length = wire_encode_request(&request, message, sizeof(message));
	if (!length)
		return;
	MUST(wire_decode_request(message, length, &again));
	MUST(again.verb == request.verb && strcmp(again.user, request.user) == 0);
	MUST(strcmp(again.service, request.service) == 0 && strcmp(again.tty, request.tty) == 0);
	MUST(strcmp(again.rhost, request.rhost) == 0);
	MUST(strcmp(again.container, request.container) == 0);
	MUST(again.account_length == size && (!size || memcmp(again.account, data, size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_request request;
	static unsigned char message[WIRE_REQUEST_MAX];
	void *copy = fuzz_copy(data, size);

	if (wire_decode_request(copy, size, &request)) {
		/* There is one way only to say it. */
		MUST(wire_encode_request(&request, message, sizeof(message)) == size);
		MUST(memcmp(message, data, size) == 0);
		MUST((request.verb == WIRE_ENTER) == (request.container[0] != '\0'));
		for (size_t room = 0; room < size; room += 1 + room / 4)
			MUST(wire_encode_request(&request, message, room) == 0);
	} else {
		MUST(fuzz_is_zero(&request, sizeof(request)));
	}
	free(copy);
	encode_any(data, size);
	return 0;
}
