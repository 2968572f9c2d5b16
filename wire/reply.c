/* wire/reply.c - what is to be done with the login: the helper's answer. */
#include <sched.h>
#include <string.h>

#include "base/failure.h"
#include "wire/cursor.h"
#include "wire/wire.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | \
	 CLONE_NEWCGROUP | CLONE_NEWTIME)

static bool action_is_sound(const struct wire_reply *reply)
{
	switch (reply->action) {
	case WIRE_HOST:
	case WIRE_DENY:
	case WIRE_WAIT:
		return reply->fd_count == 0 && reply->namespaces == 0;
	case WIRE_CONTAIN:
		return reply->fd_count == WIRE_FD_COUNT && reply->namespaces != 0 &&
		       (reply->namespaces & ~(uint32_t)NAMESPACES) == 0;
	}
	return false;
}

/* The rules that hold between fields; both directions check them. */
static bool reply_is_sound(const struct wire_reply *reply)
{
	if (!action_is_sound(reply) || reply->failure_kind >= FAILURE_KIND_COUNT ||
	    reply->allow_root > 1 || (reply->umask > 0777 && reply->umask != WIRE_UMASK_UNSET) ||
	    reply->env_count > WIRE_ENV_MAX)
		return false;
	/* An entry without a name means nothing to pam_putenv(3). */
	for (size_t i = 0; i < reply->env_count; i++)
		if (reply->env[i][0] == '\0' || reply->env[i][0] == '=')
			return false;
	return true;
}

size_t wire_encode_reply(const struct wire_reply *reply, void *buffer, size_t size)
{
	struct wire_writer writer;

	if (!reply_is_sound(reply))
		return 0;
	writer =
	    wire_write_begin(buffer, size < WIRE_MAX ? size : WIRE_MAX, (uint16_t)reply->action);
	wire_put_number(&writer, reply->failure_kind, sizeof(uint32_t));
	wire_put_number(&writer, reply->fd_count, sizeof(uint32_t));
	wire_put_number(&writer, reply->namespaces, sizeof(uint32_t));
	wire_put_number(&writer, reply->allow_root, sizeof(uint32_t));
	wire_put_number(&writer, reply->umask, sizeof(uint32_t));
	wire_put_number(&writer, reply->bounding_set, sizeof(uint64_t));
	wire_put_string(&writer, reply->container, sizeof(reply->container));
	wire_put_string(&writer, reply->user_text, sizeof(reply->user_text));
	wire_put_string(&writer, reply->log_text, sizeof(reply->log_text));
	wire_put_number(&writer, reply->env_count, sizeof(uint32_t));
	for (size_t i = 0; i < reply->env_count; i++)
		wire_put_string(&writer, reply->env[i], sizeof(reply->env[i]));
	return wire_write_end(&writer);
}

static bool read_reply(struct wire_reader *reader, struct wire_reply *out)
{
	out->failure_kind = (uint32_t)wire_get_number(reader, sizeof(uint32_t));
	out->fd_count = (uint32_t)wire_get_number(reader, sizeof(uint32_t));
	out->namespaces = (uint32_t)wire_get_number(reader, sizeof(uint32_t));
	out->allow_root = (uint32_t)wire_get_number(reader, sizeof(uint32_t));
	out->umask = (uint32_t)wire_get_number(reader, sizeof(uint32_t));
	out->bounding_set = wire_get_number(reader, sizeof(uint64_t));
	wire_get_string(reader, out->container, sizeof(out->container));
	wire_get_string(reader, out->user_text, sizeof(out->user_text));
	wire_get_string(reader, out->log_text, sizeof(out->log_text));
	out->env_count = (uint32_t)wire_get_number(reader, sizeof(uint32_t));
	if (out->env_count > WIRE_ENV_MAX)
		return false;
	for (size_t i = 0; i < out->env_count; i++)
		wire_get_string(reader, out->env[i], sizeof(out->env[i]));
	return wire_read_end(reader) && reply_is_sound(out);
}

bool wire_decode_reply(const void *data, size_t length, struct wire_reply *out)
{
	struct wire_reader reader;
	uint16_t kind;

	memset(out, 0, sizeof(*out));
	if (length > WIRE_MAX)
		return false;
	reader = wire_read_begin(data, length, &kind);
	out->action = (enum wire_action)kind;
	if (read_reply(&reader, out))
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}
