/* wire/request.c - who asks for what: the message from the login service to the helper. */
#include <string.h>

#include "wire/cursor.h"
#include "wire/wire.h"

/* The rules that hold between fields; both directions check them. */
static bool request_is_sound(const struct wire_request *request)
{
	switch (request->verb) {
	case WIRE_OPEN_SESSION:
	case WIRE_CHECK_ACCOUNT:
	case WIRE_PREPARE:
		return request->container[0] == '\0';
	case WIRE_ENTER:
		return request->container[0] != '\0';
	}
	return false;
}

size_t wire_encode_request(const struct wire_request *request, void *buffer, size_t size)
{
	struct wire_writer writer;

	if (!request_is_sound(request))
		return 0;
	writer = wire_write_begin(buffer, size < WIRE_REQUEST_MAX ? size : WIRE_REQUEST_MAX,
				  (uint16_t)request->verb);
	wire_put_string(&writer, request->user, sizeof(request->user));
	wire_put_string(&writer, request->service, sizeof(request->service));
	wire_put_string(&writer, request->tty, sizeof(request->tty));
	wire_put_string(&writer, request->rhost, sizeof(request->rhost));
	wire_put_string(&writer, request->container, sizeof(request->container));
	wire_put_bytes(&writer, request->account, request->account_length);
	return wire_write_end(&writer);
}

bool wire_decode_request(const void *data, size_t length, struct wire_request *out)
{
	struct wire_reader reader;
	uint16_t kind;

	memset(out, 0, sizeof(*out));
	if (length > WIRE_REQUEST_MAX)
		return false;
	reader = wire_read_begin(data, length, &kind);
	out->verb = (enum wire_verb)kind;
	wire_get_string(&reader, out->user, sizeof(out->user));
	wire_get_string(&reader, out->service, sizeof(out->service));
	wire_get_string(&reader, out->tty, sizeof(out->tty));
	wire_get_string(&reader, out->rhost, sizeof(out->rhost));
	wire_get_string(&reader, out->container, sizeof(out->container));
	out->account = wire_get_bytes(&reader, &out->account_length);
	if (wire_read_end(&reader) && request_is_sound(out))
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}
