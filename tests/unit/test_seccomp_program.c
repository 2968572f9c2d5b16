/* tests/unit/test_seccomp_program.c - the table, and the program run by hand on every number. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "helper/seccomp/arch.h"
#include "helper/seccomp/names.h"
#include "helper/seccomp/program.h"
#include "helper/seccomp/table.h"
#include "tests/unit/suites.h"

/* The newest call that the table was reviewed against: file_setattr, Linux 6.17. */
#define NEWEST_REVIEWED 469

static const struct string_list nothing;

static void compile(struct seccomp_program *program, bool allow_root,
		    const struct string_list *deny)
{
	const struct seccomp_rules rules = {allow_root, &nothing, deny};
	struct failure why = {0};

	ck_assert_msg(program_compile(&rules, program, &why), "%s", why.text);
}

/* What the kernel would do with the instructions that we use. */

static uint32_t load_word(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	ck_assert_uint_le(offset + sizeof(word), sizeof(*data));
	memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

static uint32_t run_program(const struct seccomp_program *program, const struct seccomp_data *data)
{
	uint32_t accumulator = 0;

	for (size_t i = 0; i < program->count; i++) {
		const struct sock_filter *op = &program->code[i];

		switch (op->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			accumulator = load_word(data, op->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			accumulator &= op->k;
			break;
		case BPF_JMP | BPF_JA:
			i += op->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += accumulator == op->k ? op->jt : op->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += accumulator >= op->k ? op->jt : op->jf;
			break;
		case BPF_RET | BPF_K:
			return op->k;
		default:
			ck_abort_msg("an instruction of another kind: %#x", op->code);
		}
	}
	ck_abort_msg("the program has no end");
}

static uint32_t answer_to(const struct seccomp_program *program, uint32_t number)
{
	const struct seccomp_data data = {.nr = (int)number, .arch = NATIVE_ARCH};

	return run_program(program, &data);
}

#define ERRNO(error) (SECCOMP_RET_ERRNO | (error))

static const struct call_group *group_of_number(uint32_t number, char name[64])
{
	for (size_t i = 0; i < call_group_count; i++) {
		const char *position = call_groups[i].calls;
		const char *call;
		size_t length;

		while (call_group_next(&position, &call, &length)) {
			int found;

			memcpy(name, call, length);
			name[length] = '\0';
			if (call_number(name, &found) && found == (int)number)
				return &call_groups[i];
		}
	}
	name[0] = '\0';
	return NULL;
}

START_TEST(table_names_every_known_call_once)
{
	for (int number = 0; number <= NEWEST_REVIEWED; number++) {
		char *known = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number);
		size_t seen = 0;

		if (!known)
			continue;
		for (size_t i = 0; i < call_group_count; i++) {
			const char *position = call_groups[i].calls;
			const char *call;
			size_t length;

			while (call_group_next(&position, &call, &length))
				seen += strlen(known) == length && memcmp(known, call, length) == 0;
		}
		ck_assert_msg(seen == 1, "%s is in %zu groups", known, seen);
		free(known);
	}
}
END_TEST

START_TEST(table_has_no_misspelt_name)
{
	for (size_t i = 0; i < call_group_count; i++) {
		const char *position = call_groups[i].calls;
		const char *call;
		size_t length;

		while (call_group_next(&position, &call, &length)) {
			char name[64] = "";
			bool known;

			memcpy(name, call, length);
			known = seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
			for (size_t j = 0; j < young_call_count; j++)
				known = known || strcmp(young_calls[j].name, name) == 0;
#ifndef __x86_64__
			known =
			    known || strcmp(name, "uprobe") == 0 || strcmp(name, "uretprobe") == 0;
#endif
			ck_assert_msg(known, "no system call is called '%s'", name);
		}
		/* One space too many would end the list early. */
		ck_assert_ptr_eq(position, call_groups[i].calls + strlen(call_groups[i].calls));
	}
}
END_TEST

START_TEST(young_calls_have_the_numbers_that_a_newer_libseccomp_gives)
{
	for (size_t i = 0; i < young_call_count; i++) {
		int number = seccomp_syscall_resolve_name(young_calls[i].name);

		if (number != __NR_SCMP_ERROR)
			ck_assert_int_eq(number, young_calls[i].number);
		ck_assert_ptr_nonnull(call_group_find(young_calls[i].name));
	}
}
END_TEST

/* A checked call whose last rule might not fit would run into the answer of the next one. */
START_TEST(argument_rules_end_and_belong_to_checked_calls)
{
	for (size_t i = 0; i < argument_rule_count; i++) {
		const struct argument_rule *rule = &argument_rules[i];
		const struct call_group *group = call_group_find(rule->call);
		bool is_last = i + 1 == argument_rule_count ||
			       strcmp(argument_rules[i + 1].call, rule->call) != 0;

		ck_assert_ptr_nonnull(group);
		ck_assert_int_eq(group->answer, CALL_CHECK);
		ck_assert_int_eq(is_last, rule->when[0].mask == 0);
		if (is_last)
			ck_assert(!rule->only_without_root);
	}
}
END_TEST

START_TEST(program_answers_every_number_as_the_table_says)
{
	struct seccomp_program program;
	size_t allowed = 0;

	compile(&program, false, &nothing);

	for (uint32_t number = 0; number < 2048; number++) {
		char name[64] = "";
		const struct call_group *group = group_of_number(number, name);
		uint32_t answer = answer_to(&program, number);

		if (!group || group->answer == CALL_ABSENT)
			ck_assert_msg(answer == ERRNO(ENOSYS), "%u %s: %#x", number, name, answer);
		else if (group->answer == CALL_REFUSE)
			ck_assert_msg(answer == ERRNO(EPERM), "%u %s: %#x", number, name, answer);
		else if (group->answer == CALL_ALLOW)
			ck_assert_msg(answer == SECCOMP_RET_ALLOW, "%u %s: %#x", number, name,
				      answer);
		allowed += answer == SECCOMP_RET_ALLOW;
	}
	/* Neither a list that forgot half nor one that lets everything through. */
	ck_assert_uint_gt(allowed, 200);
	ck_assert_uint_lt(allowed, 330);
}
END_TEST

START_TEST(program_kills_other_conventions_and_knows_the_edges)
{
	const struct seccomp_data i386 = {.nr = 20, .arch = AUDIT_ARCH_I386};
	struct seccomp_program program;

	compile(&program, false, &nothing);
	ck_assert_uint_eq(run_program(&program, &i386), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(answer_to(&program, 0x3fffffff), ERRNO(ENOSYS));
	/* A tracer's -1. */
	ck_assert_uint_eq(answer_to(&program, UINT32_MAX), SECCOMP_RET_ALLOW);
#ifdef X32_CALL_BIT
	for (uint32_t number = 0; number < 2048; number++)
		ck_assert_uint_eq(answer_to(&program, X32_CALL_BIT | number),
				  SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(answer_to(&program, 0x7fffffff), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(answer_to(&program, 0x80000000), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(answer_to(&program, UINT32_MAX - 1), SECCOMP_RET_KILL_PROCESS);
#endif
}
END_TEST

/* As many calls as can be, every second one: more ranges, so that branches reach beyond 255. */
static struct string_list every_second_call(void)
{
	struct string_list list = {.items = calloc(NEWEST_REVIEWED, sizeof(char *))};

	for (int number = 0; number < NEWEST_REVIEWED; number += 2) {
		char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number);
		const struct call_group *group = name ? call_group_find(name) : NULL;

		if (group && !group->fixed)
			list.items[list.count++] = name;
		else
			free(name);
	}
	return list;
}

static void free_names(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

START_TEST(program_stays_right_when_its_branches_grow_long)
{
	struct string_list deny = every_second_call();
	struct seccomp_program program;

	compile(&program, false, &deny);
	ck_assert_uint_gt(program.count, 512);

	for (uint32_t number = 0; number < NEWEST_REVIEWED; number++) {
		char name[64] = "";
		const struct call_group *group = group_of_number(number, name);
		bool is_denied = false;

		for (size_t i = 0; i < deny.count; i++)
			is_denied = is_denied || strcmp(deny.items[i], name) == 0;
		if (is_denied || (group && group->answer == CALL_REFUSE))
			ck_assert_uint_eq(answer_to(&program, number), ERRNO(EPERM));
		else if (group && group->answer == CALL_ALLOW)
			ck_assert_uint_eq(answer_to(&program, number), SECCOMP_RET_ALLOW);
	}
	free_names(&deny);
}
END_TEST

static uint32_t socket_answer(const struct seccomp_program *program, uint64_t family, uint64_t type,
			      uint64_t protocol)
{
	const struct seccomp_data data = {
	    .nr = SYS_socket, .arch = NATIVE_ARCH, .args = {family, type, protocol}};

	return run_program(program, &data);
}

START_TEST(sockets_are_of_the_families_that_logins_need)
{
	static const struct {
		uint64_t family, type, protocol;
		uint32_t answer;
	} cases[] = {
	    {AF_UNIX, SOCK_STREAM, 0, SECCOMP_RET_ALLOW},
	    {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, SECCOMP_RET_ALLOW},
	    {AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, SECCOMP_RET_ALLOW},
	    {AF_INET6, SOCK_DGRAM, IPPROTO_UDP, SECCOMP_RET_ALLOW},
	    {AF_INET, SOCK_DGRAM, IPPROTO_ICMP, SECCOMP_RET_ALLOW},
	    {AF_INET, SOCK_STREAM, 262 /* MPTCP */, SECCOMP_RET_ALLOW},
	    {AF_INET, SOCK_STREAM, 132 /* SCTP */, ERRNO(EPROTONOSUPPORT)},
	    {AF_INET6, SOCK_SEQPACKET, 132, ERRNO(EPROTONOSUPPORT)},
	    {AF_INET, SOCK_DGRAM, 115 /* L2TP */, ERRNO(EPROTONOSUPPORT)},
	    {AF_INET, SOCK_STREAM, 256 /* SMC */, ERRNO(EPROTONOSUPPORT)},
	    {AF_INET, SOCK_DCCP, 0, ERRNO(ESOCKTNOSUPPORT)},
	    {AF_INET, SOCK_PACKET, 3, ERRNO(ESOCKTNOSUPPORT)}, /* is AF_PACKET to the kernel */
	    {AF_INET, SOCK_RAW, IPPROTO_ICMP, ERRNO(EPERM)},
	    {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, SECCOMP_RET_ALLOW},
	    {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT, SECCOMP_RET_ALLOW},
	    {AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT, SECCOMP_RET_ALLOW},
	    {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, ERRNO(EPROTONOSUPPORT)},
	    {AF_NETLINK, SOCK_RAW, NETLINK_XFRM, ERRNO(EPROTONOSUPPORT)},
	    {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC, ERRNO(EPROTONOSUPPORT)},
	    {AF_UNSPEC, SOCK_STREAM, 0, ERRNO(EAFNOSUPPORT)},
	    {AF_PACKET, SOCK_RAW, 0, ERRNO(EAFNOSUPPORT)},
	    {AF_VSOCK, SOCK_STREAM, 0, ERRNO(EAFNOSUPPORT)},
	    {AF_ALG, SOCK_SEQPACKET, 0, ERRNO(EAFNOSUPPORT)},
	    {AF_TIPC, SOCK_STREAM, 0, ERRNO(EAFNOSUPPORT)},
	    /* The kernel looks at the lower half only: so must we, both ways. */
	    {UINT64_C(0xffffffff00000000) | AF_VSOCK, SOCK_STREAM, 0, ERRNO(EAFNOSUPPORT)},
	    {UINT64_C(0x100000000) | AF_UNIX, SOCK_STREAM, 0, SECCOMP_RET_ALLOW},
	};
	struct seccomp_program program;

	compile(&program, false, &nothing);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		ck_assert_msg(socket_answer(&program, cases[i].family, cases[i].type,
					    cases[i].protocol) == cases[i].answer,
			      "case %zu", i);
}
END_TEST

START_TEST(root_gets_raw_sockets_and_nothing_else)
{
	struct seccomp_program user, root;

	compile(&user, false, &nothing);
	compile(&root, true, &nothing);
	ck_assert_uint_eq(socket_answer(&root, AF_INET, SOCK_RAW, 1), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(socket_answer(&root, AF_INET6, SOCK_RAW, 58), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(socket_answer(&root, AF_INET, SOCK_PACKET, 3), ERRNO(ESOCKTNOSUPPORT));
	for (uint32_t number = 0; number < 512; number++)
		ck_assert_uint_eq(answer_to(&root, number), answer_to(&user, number));
}
END_TEST

Suite *seccomp_program_suite(void)
{
	Suite *suite = suite_create("seccomp_program");
	TCase *table = tcase_create("table");
	TCase *program = tcase_create("program");

	tcase_add_test(table, table_names_every_known_call_once);
	tcase_add_test(table, table_has_no_misspelt_name);
	tcase_add_test(table, young_calls_have_the_numbers_that_a_newer_libseccomp_gives);
	tcase_add_test(table, argument_rules_end_and_belong_to_checked_calls);
	suite_add_tcase(suite, table);

	tcase_add_test(program, program_answers_every_number_as_the_table_says);
	tcase_add_test(program, program_kills_other_conventions_and_knows_the_edges);
	tcase_add_test(program, program_stays_right_when_its_branches_grow_long);
	tcase_add_test(program, sockets_are_of_the_families_that_logins_need);
	tcase_add_test(program, root_gets_raw_sockets_and_nothing_else);
	suite_add_tcase(suite, program);
	return suite;
}
