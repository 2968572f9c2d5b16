/* tests/unit/test_wire.c - what one side encodes the other decodes, and nothing else decodes. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "wire/wire.h"

#define HEADER_SIZE 12

static struct wire_request sample_request(void)
{
	return (struct wire_request){.verb = WIRE_OPEN_SESSION,
				     .user = "alice",
				     .service = "sshd",
				     .tty = "ssh",
				     .rhost = "2001:db8::7",
				     .account = "any\0bytes",
				     .account_length = 9};
}

static struct wire_reply sample_contain(void)
{
	return (struct wire_reply){
	    .action = WIRE_CONTAIN,
	    .fd_count = WIRE_FD_COUNT,
	    .namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID,
	    .umask = 027,
	    .bounding_set = 0x8000000000000001u,
	    .container = "alice",
	    .user_text = "Exercises are in /srv/exercises",
	    .log_text = "container alice, policy students",
	    .env_count = 3,
	    .env = {"container=carrel", "CARREL=alice", "DBUS_SESSION_BUS_ADDRESS"}};
}

static struct wire_reply sample_deny(void)
{
	return (struct wire_reply){.action = WIRE_DENY,
				   .failure_kind = FAILURE_LIMIT,
				   .umask = WIRE_UMASK_UNSET,
				   .user_text = "You are logged in 4 times already."};
}

static size_t encoded_request(const struct wire_request *request, unsigned char *buffer)
{
	size_t length = wire_encode_request(request, buffer, WIRE_MAX);

	ck_assert_uint_gt(length, 0);
	return length;
}

static size_t encoded_reply(const struct wire_reply *reply, unsigned char *buffer)
{
	size_t length = wire_encode_reply(reply, buffer, WIRE_MAX);

	ck_assert_uint_gt(length, 0);
	return length;
}

static bool all_zero(const void *data, size_t length)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static void assert_request_refused(const void *data, size_t length)
{
	struct wire_request out;

	memset(&out, 0xa5, sizeof(out));
	ck_assert(!wire_decode_request(data, length, &out));
	ck_assert(all_zero(&out, sizeof(out)));
}

static void assert_reply_refused(const void *data, size_t length)
{
	struct wire_reply out;

	memset(&out, 0xa5, sizeof(out));
	ck_assert(!wire_decode_reply(data, length, &out));
	ck_assert(all_zero(&out, sizeof(out)));
}

/* Without the padding after the last member and before env_count: copies may make anything of it.
 */
static void assert_same_request(const struct wire_request *a, const struct wire_request *b)
{
	ck_assert_mem_eq(a, b, offsetof(struct wire_request, container) + sizeof(a->container));
	ck_assert_uint_eq(a->account_length, b->account_length);
	if (a->account_length)
		ck_assert_mem_eq(a->account, b->account, a->account_length);
	else
		ck_assert_ptr_null(a->account);
}

static void assert_same_reply(const struct wire_reply *a, const struct wire_reply *b)
{
	ck_assert_mem_eq(a, b, offsetof(struct wire_reply, log_text) + sizeof(a->log_text));
	ck_assert_uint_eq(a->env_count, b->env_count);
	ck_assert_mem_eq(a->env, b->env, sizeof(a->env));
}

START_TEST(request_comes_back_as_it_was)
{
	struct wire_request request = sample_request(), out;
	unsigned char buffer[WIRE_MAX];
	size_t length;

	memset(request.rhost, 'r', WIRE_NAME_MAX);
	length = encoded_request(&request, buffer);
	ck_assert(wire_decode_request(buffer, length, &out));
	assert_same_request(&out, &request);

	request = (struct wire_request){.verb = WIRE_ENTER, .container = "alice"};
	length = encoded_request(&request, buffer);
	ck_assert(wire_decode_request(buffer, length, &out));
	assert_same_request(&out, &request);
}
END_TEST

START_TEST(reply_comes_back_as_it_was)
{
	const struct wire_reply host = {.action = WIRE_HOST};
	const struct wire_reply wait = {.action = WIRE_WAIT, .user_text = "12 before you"};
	const struct wire_reply samples[] = {sample_contain(), sample_deny(), host, wait};
	unsigned char buffer[WIRE_MAX];
	struct wire_reply out;

	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		size_t length = encoded_reply(&samples[i], buffer);

		ck_assert(wire_decode_reply(buffer, length, &out));
		assert_same_reply(&out, &samples[i]);
	}
}
END_TEST

/* The layout that docs/wire-protocol.md promises, byte by byte. */
START_TEST(request_has_the_documented_layout)
{
	static const char expected[] = "CRRL"         /* magic */
				       "\3\0"         /* version */
				       "\3\0"         /* verb */
				       "\30\0\0\0"    /* length of the body */
				       "\1\0u"        /* user */
				       "\2\0sv"       /* service */
				       "\0\0"         /* tty */
				       "\1\0h"        /* rhost */
				       "\3\0box"      /* container */
				       "\3\0\0\0acc"; /* account */
	const struct wire_request request = {.verb = WIRE_ENTER,
					     .user = "u",
					     .service = "sv",
					     .rhost = "h",
					     .container = "box",
					     .account = "acc",
					     .account_length = 3};
	unsigned char buffer[WIRE_MAX];

	ck_assert_uint_eq(encoded_request(&request, buffer), sizeof(expected) - 1);
	ck_assert_mem_eq(buffer, expected, sizeof(expected) - 1);
}
END_TEST

START_TEST(reply_has_the_documented_layout)
{
	static const char expected[] = "CRRL"              /* magic */
				       "\3\0"              /* version */
				       "\2\0"              /* action */
				       "\55\0\0\0"         /* length of the body */
				       "\0\0\0\0"          /* failure_kind */
				       "\2\0\0\0"          /* fd_count */
				       "\0\0\2\20"         /* CLONE_NEWNS | CLONE_NEWUSER */
				       "\1\0\0\0"          /* allow_root */
				       "\77\0\0\0"         /* umask 077 */
				       "\1\2\3\4\5\6\7\10" /* bounding_set */
				       "\1\0c"             /* container */
				       "\1\0w"             /* user_text */
				       "\1\0l"             /* log_text */
				       "\1\0\0\0"          /* env_count */
				       "\2\0A=";           /* env[0] */
	const struct wire_reply reply = {.action = WIRE_CONTAIN,
					 .fd_count = WIRE_FD_COUNT,
					 .namespaces = CLONE_NEWNS | CLONE_NEWUSER,
					 .allow_root = 1,
					 .umask = 077,
					 .bounding_set = 0x0807060504030201u,
					 .container = "c",
					 .user_text = "w",
					 .log_text = "l",
					 .env_count = 1,
					 .env = {"A="}};
	unsigned char buffer[WIRE_MAX];

	ck_assert_uint_eq(encoded_reply(&reply, buffer), sizeof(expected) - 1);
	ck_assert_mem_eq(buffer, expected, sizeof(expected) - 1);
}
END_TEST

START_TEST(truncation_at_every_length_is_refused)
{
	struct wire_request request = sample_request();
	struct wire_reply reply = sample_contain();
	unsigned char buffer[WIRE_MAX];
	size_t length = encoded_request(&request, buffer);

	for (size_t cut = 0; cut < length; cut++) {
		/* An exact allocation, so that a sanitizer sees a read past the end. */
		unsigned char *data = malloc(cut + 1);

		memcpy(data, buffer, cut);
		assert_request_refused(data, cut);
		/* Truncated with a body length that agrees: the strings must be missed. */
		if (cut >= HEADER_SIZE) {
			data[8] = (unsigned char)(cut - HEADER_SIZE);
			data[9] = (unsigned char)((cut - HEADER_SIZE) >> 8);
			assert_request_refused(data, cut);
		}
		free(data);
	}
	length = encoded_reply(&reply, buffer);
	for (size_t cut = 0; cut < length; cut++) {
		unsigned char *data = malloc(cut + 1);

		memcpy(data, buffer, cut);
		assert_reply_refused(data, cut);
		if (cut >= HEADER_SIZE) {
			data[8] = (unsigned char)(cut - HEADER_SIZE);
			data[9] = (unsigned char)((cut - HEADER_SIZE) >> 8);
			assert_reply_refused(data, cut);
		}
		free(data);
	}
}
END_TEST

START_TEST(trailing_bytes_are_refused)
{
	struct wire_request request = sample_request();
	struct wire_reply reply = sample_deny();
	unsigned char buffer[WIRE_MAX + 1] = {0};
	size_t length = encoded_request(&request, buffer);

	buffer[length] = 0;
	assert_request_refused(buffer, length + 1);
	buffer[8]++;
	assert_request_refused(buffer, length + 1);

	length = encoded_reply(&reply, buffer);
	buffer[length] = 0;
	assert_reply_refused(buffer, length + 1);
	buffer[8]++;
	assert_reply_refused(buffer, length + 1);
}
END_TEST

/* Every value of every byte: refused, or another message in its one and only encoding. */
static void mutate_request(unsigned char *buffer, size_t length, size_t at)
{
	const unsigned char original = buffer[at];
	unsigned char again[WIRE_MAX];
	struct wire_request out;

	for (unsigned value = 0; value < 256; value++) {
		buffer[at] = (unsigned char)value;
		if (!wire_decode_request(buffer, length, &out)) {
			ck_assert(all_zero(&out, sizeof(out)));
			ck_assert_uint_ne(value, original);
			continue;
		}
		ck_assert_uint_eq(wire_encode_request(&out, again, sizeof(again)), length);
		ck_assert_mem_eq(again, buffer, length);
	}
	buffer[at] = original;
}

static void mutate_reply(unsigned char *buffer, size_t length, size_t at)
{
	const unsigned char original = buffer[at];
	unsigned char again[WIRE_MAX];
	struct wire_reply out;

	for (unsigned value = 0; value < 256; value++) {
		buffer[at] = (unsigned char)value;
		if (!wire_decode_reply(buffer, length, &out)) {
			ck_assert(all_zero(&out, sizeof(out)));
			ck_assert_uint_ne(value, original);
			continue;
		}
		ck_assert_uint_eq(wire_encode_reply(&out, again, sizeof(again)), length);
		ck_assert_mem_eq(again, buffer, length);
	}
	buffer[at] = original;
}

START_TEST(every_mutated_byte_is_refused_or_canonical)
{
	struct wire_request request = sample_request();
	const struct wire_reply replies[] = {sample_contain(), sample_deny()};
	unsigned char buffer[WIRE_MAX];
	size_t length = encoded_request(&request, buffer);

	for (size_t at = 0; at < length; at++)
		mutate_request(buffer, length, at);
	for (size_t i = 0; i < ARRAY_LENGTH(replies); i++) {
		length = encoded_reply(&replies[i], buffer);
		for (size_t at = 0; at < length; at++)
			mutate_reply(buffer, length, at);
	}
}
END_TEST

/* No byte of the header may differ, but for the verb where another verb is meant. */
START_TEST(header_is_exact)
{
	struct wire_request request = sample_request();
	unsigned char buffer[WIRE_MAX];
	size_t length = encoded_request(&request, buffer);

	for (size_t at = 0; at < HEADER_SIZE; at++) {
		const unsigned char original = buffer[at];

		for (unsigned value = 0; value < 256; value++) {
			buffer[at] = (unsigned char)value;
			if (value == original ||
			    (at == 6 && (value == WIRE_CHECK_ACCOUNT || value == WIRE_PREPARE)))
				continue;
			assert_request_refused(buffer, length);
		}
		buffer[at] = original;
	}
}
END_TEST

START_TEST(request_rules_hold_on_both_sides)
{
	struct wire_request request = sample_request();
	unsigned char buffer[WIRE_MAX];
	size_t length;

	memset(request.user, 'a', sizeof(request.user)); /* no NUL: one byte too long */
	ck_assert_uint_eq(wire_encode_request(&request, buffer, sizeof(buffer)), 0);

	request = sample_request();
	request.verb = (enum wire_verb)0;
	ck_assert_uint_eq(wire_encode_request(&request, buffer, sizeof(buffer)), 0);
	request.verb = (enum wire_verb)5;
	ck_assert_uint_eq(wire_encode_request(&request, buffer, sizeof(buffer)), 0);

	request = sample_request();
	strcpy(request.container, "alice"); /* a login may not choose its container */
	ck_assert_uint_eq(wire_encode_request(&request, buffer, sizeof(buffer)), 0);
	request.verb = WIRE_ENTER;
	length = encoded_request(&request, buffer);
	buffer[6] = WIRE_OPEN_SESSION;
	assert_request_refused(buffer, length);

	request = sample_request();
	length = encoded_request(&request, buffer);
	buffer[6] = WIRE_ENTER; /* enter nothing */
	assert_request_refused(buffer, length);
}
END_TEST

START_TEST(account_has_its_room)
{
	static unsigned char account[WIRE_REQUEST_MAX], buffer[WIRE_REQUEST_MAX + 1];
	struct wire_request request = sample_request(), out;
	size_t bare, length;

	request.account_length = 0;
	request.account = NULL;
	bare = wire_encode_request(&request, buffer, sizeof(buffer));
	request.account = account;
	request.account_length = WIRE_REQUEST_MAX - bare;
	length = wire_encode_request(&request, buffer, sizeof(buffer));
	ck_assert_uint_eq(length, WIRE_REQUEST_MAX);
	ck_assert(wire_decode_request(buffer, length, &out));
	ck_assert_ptr_eq(out.account, buffer + bare);
	ck_assert_uint_eq(out.account_length, request.account_length);
	assert_request_refused(buffer, length + 1);
	request.account_length++;
	ck_assert_uint_eq(wire_encode_request(&request, buffer, sizeof(buffer)), 0);
}
END_TEST

static void assert_not_encoded(const struct wire_reply *reply)
{
	unsigned char buffer[WIRE_MAX];

	ck_assert_uint_eq(wire_encode_reply(reply, buffer, sizeof(buffer)), 0);
}

START_TEST(reply_rules_hold_when_encoding)
{
	struct wire_reply reply;

#define REFUSED(sample, change)                                                                    \
	reply = sample();                                                                          \
	change;                                                                                    \
	assert_not_encoded(&reply)

	REFUSED(sample_deny, reply.action = (enum wire_action)0);
	REFUSED(sample_deny, reply.action = (enum wire_action)5);
	REFUSED(sample_deny, reply.failure_kind = FAILURE_KIND_COUNT);
	REFUSED(sample_deny, reply.fd_count = WIRE_FD_COUNT);
	REFUSED(sample_deny, reply.namespaces = CLONE_NEWNS);
	REFUSED(sample_deny, memset(reply.user_text, 't', sizeof(reply.user_text)));
	REFUSED(sample_deny, memset(reply.log_text, 't', sizeof(reply.log_text)));
	REFUSED(sample_deny, memset(reply.container, 't', sizeof(reply.container)));
	REFUSED(sample_contain, reply.fd_count = 1);
	REFUSED(sample_contain, reply.fd_count = 3);
	REFUSED(sample_contain, reply.namespaces = 0);
	REFUSED(sample_contain, reply.namespaces |= CLONE_VM);
	REFUSED(sample_contain, reply.allow_root = 2);
	REFUSED(sample_contain, reply.umask = 01000);
	REFUSED(sample_contain, reply.env_count = WIRE_ENV_MAX + 1);
	REFUSED(sample_contain, reply.env_count = 4); /* the fourth has no name */
	REFUSED(sample_contain, strcpy(reply.env[0], "=value"));
	REFUSED(sample_contain, memset(reply.env[1], 'e', sizeof(reply.env[1])));
#undef REFUSED
}
END_TEST

START_TEST(nul_inside_a_string_is_refused)
{
	struct wire_request request = sample_request();
	struct wire_reply reply = sample_deny();
	unsigned char buffer[WIRE_MAX];
	size_t length = encoded_request(&request, buffer);

	buffer[HEADER_SIZE + 2 + 1] = '\0'; /* "alice" */
	assert_request_refused(buffer, length);
	length = encoded_reply(&reply, buffer);
	buffer[length - 4 - 2 - 3] = '\0'; /* near the end of user_text */
	assert_reply_refused(buffer, length);
}
END_TEST

START_TEST(longest_fields_fit_and_the_cap_holds)
{
	static unsigned char buffer[2 * WIRE_MAX];
	struct wire_reply reply = sample_deny(), out;
	size_t length;

	memset(reply.user_text, 't', WIRE_TEXT_MAX);
	memset(reply.log_text, 'l', WIRE_TEXT_MAX);
	memset(reply.container, 'c', WIRE_NAME_MAX);
	reply.env_count = 32;
	for (size_t i = 0; i < reply.env_count; i++)
		memset(reply.env[i], 'e', WIRE_NAME_MAX);
	length = encoded_reply(&reply, buffer);
	ck_assert(wire_decode_reply(buffer, length, &out));
	ck_assert_mem_eq(&out, &reply, sizeof(out));

	/* 64 variables of full length are more than one datagram holds, whatever the buffer. */
	reply.env_count = WIRE_ENV_MAX;
	for (size_t i = 0; i < reply.env_count; i++)
		memset(reply.env[i], 'e', WIRE_NAME_MAX);
	ck_assert_uint_eq(wire_encode_reply(&reply, buffer, sizeof(buffer)), 0);
}
END_TEST

START_TEST(small_buffers_are_never_overrun)
{
	struct wire_request request = sample_request();
	struct wire_reply reply = sample_contain();
	unsigned char whole[WIRE_MAX];
	size_t length = encoded_request(&request, whole);

	for (size_t size = 0; size <= length; size++) {
		unsigned char *data = malloc(size + 1);

		ck_assert_uint_eq(wire_encode_request(&request, data, size),
				  size == length ? length : 0);
		free(data);
	}
	length = encoded_reply(&reply, whole);
	for (size_t size = 0; size <= length; size++) {
		unsigned char *data = malloc(size + 1);

		ck_assert_uint_eq(wire_encode_reply(&reply, data, size),
				  size == length ? length : 0);
		free(data);
	}
}
END_TEST

Suite *wire_suite(void)
{
	Suite *suite = suite_create("wire");
	TCase *test = tcase_create("messages");

	tcase_add_test(test, request_comes_back_as_it_was);
	tcase_add_test(test, reply_comes_back_as_it_was);
	tcase_add_test(test, request_has_the_documented_layout);
	tcase_add_test(test, reply_has_the_documented_layout);
	tcase_add_test(test, truncation_at_every_length_is_refused);
	tcase_add_test(test, trailing_bytes_are_refused);
	tcase_add_test(test, every_mutated_byte_is_refused_or_canonical);
	tcase_add_test(test, header_is_exact);
	tcase_add_test(test, request_rules_hold_on_both_sides);
	tcase_add_test(test, account_has_its_room);
	tcase_add_test(test, reply_rules_hold_when_encoding);
	tcase_add_test(test, nul_inside_a_string_is_refused);
	tcase_add_test(test, longest_fields_fit_and_the_cap_holds);
	tcase_add_test(test, small_buffers_are_never_overrun);
	suite_add_tcase(suite, test);
	return suite;
}
