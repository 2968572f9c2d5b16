/* helper/seccomp/program.c - answers to system calls as a BPF program for the kernel. */
#include "helper/seccomp/program.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "helper/seccomp/arch.h"

/* From `first` up to the next one's first, all numbers get the same answer. */
struct range {
	uint32_t first;
	uint32_t result;        /* SECCOMP_RET_* */
	const char *checked_as; /* or, when not NULL, the argument rules of this call */
};

/* Every number by itself, and the three ranges above the table. */
#define RANGES_MAX (CALL_NUMBERS + 3)

/* Too long a program: count goes on, nothing is written, program_compile looks at the end. */
static size_t emit(struct seccomp_program *program, struct sock_filter instruction)
{
	if (program->count < PROGRAM_MAX)
		program->code[program->count] = instruction;
	return program->count++;
}

static void emit_load(struct seccomp_program *program, size_t offset)
{
	emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void emit_result(struct seccomp_program *program, uint32_t result)
{
	emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, result));
}

/* One rule: each condition that does not hold jumps over the result to the next rule. */
static void emit_rule(struct seccomp_program *program, const struct argument_rule *rule)
{
	size_t tests[ARRAY_LENGTH(rule->when)];
	size_t test_count = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(rule->when); i++) {
		const struct argument_condition *when = &rule->when[i];

		if (when->mask == 0)
			continue;
		/* Little-endian (arch.h): the lower half comes first. */
		emit_load(program,
			  offsetof(struct seccomp_data, args) + when->argument * sizeof(uint64_t));
		if (when->mask != UINT32_MAX)
			emit(program,
			     (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, when->mask));
		tests[test_count++] =
		    emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							       when->value, 0, 0));
	}
	emit_result(program, rule->result);

	for (size_t i = 0; i < test_count; i++)
		if (tests[i] < PROGRAM_MAX)
			program->code[tests[i]].jf = (uint8_t)(program->count - tests[i] - 1);
}

static void emit_argument_rules(struct seccomp_program *program, const char *call, bool allow_root)
{
	for (size_t i = 0; i < argument_rule_count; i++) {
		const struct argument_rule *rule = &argument_rules[i];

		if (strcmp(rule->call, call) == 0 && !(rule->only_without_root && allow_root))
			emit_rule(program, rule);
	}
}

/*
 * Send numbers at or above the branch's to what is emitted next. A conditional jump reaches 255
 * instructions; further needs an unconditional one, put in behind it. What lies between holds
 * relative jumps within itself only, so it may be moved.
 */
static void branch_here(struct seccomp_program *program, size_t branch)
{
	size_t distance = program->count - branch - 1;

	if (program->count >= PROGRAM_MAX) {
		program->count++;
		return;
	}
	if (distance <= UINT8_MAX) {
		program->code[branch].jt = (uint8_t)distance;
		return;
	}
	memmove(&program->code[branch + 2], &program->code[branch + 1],
		distance * sizeof(program->code[0]));
	program->code[branch].jf = 1;
	program->code[branch + 1] =
	    (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)distance);
	program->count++;
}

/* A binary search among the ranges: the kernel runs it for every number when it is loaded. */
static void emit_search(struct seccomp_program *program, const struct range *ranges, size_t count,
			bool allow_root)
{
	size_t lower = count / 2;
	size_t branch;

	if (count == 1) {
		if (ranges->checked_as)
			emit_argument_rules(program, ranges->checked_as, allow_root);
		else
			emit_result(program, ranges->result);
		return;
	}

	branch = emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K,
							    ranges[lower].first, 0, 0));
	emit_search(program, ranges, lower, allow_root);
	branch_here(program, branch);
	emit_search(program, ranges + lower, count - lower, allow_root);
}

static size_t add_range(struct range *ranges, size_t count, struct range range)
{
	if (count > 0 && !range.checked_as && !ranges[count - 1].checked_as &&
	    ranges[count - 1].result == range.result)
		return count;
	ranges[count] = range;
	return count + 1;
}

static uint32_t result_of(enum call_answer answer)
{
	switch (answer) {
	case CALL_ALLOW:
		return SECCOMP_RET_ALLOW;
	case CALL_REFUSE:
		return SECCOMP_RET_ERRNO | EPERM;
	case CALL_CHECK: /* unreachable where checked_as is set; safe where it is not */
	case CALL_ABSENT:
		break;
	}
	return SECCOMP_RET_ERRNO | ENOSYS;
}

static size_t make_ranges(const struct call calls[CALL_NUMBERS], struct range ranges[RANGES_MAX])
{
	size_t count = 0;

	for (uint32_t i = 0; i < CALL_NUMBERS; i++)
		count =
		    add_range(ranges, count,
			      (struct range){i, result_of(calls[i].answer), calls[i].checked_as});

	count =
	    add_range(ranges, count, (struct range){CALL_NUMBERS, result_of(CALL_ABSENT), NULL});
#ifdef X32_CALL_BIT
	count =
	    add_range(ranges, count, (struct range){X32_CALL_BIT, SECCOMP_RET_KILL_PROCESS, NULL});
#endif
	/* A tracer skips a call by making its number -1 (strace's fault injection): runs nothing.
	 */
	return add_range(ranges, count, (struct range){UINT32_MAX, SECCOMP_RET_ALLOW, NULL});
}

bool program_compile(const struct seccomp_rules *rules, struct seccomp_program *program,
		     struct failure *why)
{
	struct call calls[CALL_NUMBERS];
	struct range ranges[RANGES_MAX];

	if (!rules_resolve(rules, calls, why))
		return false;

	program->count = 0;
	emit_load(program, offsetof(struct seccomp_data, arch));
	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
	emit_result(program, SECCOMP_RET_KILL_PROCESS);
	emit_load(program, offsetof(struct seccomp_data, nr));
	emit_search(program, ranges, make_ranges(calls, ranges), rules->allow_root);

	if (program->count > PROGRAM_MAX)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "the seccomp program has %zu instructions, more than the kernel takes",
			    program->count);
	return true;
}
