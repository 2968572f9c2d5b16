/* helper/seccomp/program.h - answers to system calls as a BPF program for the kernel. */
#ifndef CARREL_HELPER_SECCOMP_PROGRAM_H
#define CARREL_HELPER_SECCOMP_PROGRAM_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"
#include "helper/seccomp/rules.h"

/* The kernel's BPF_MAXINSNS; ours has some 300. */
#define PROGRAM_MAX 4096

struct seccomp_program {
	size_t count;
	struct sock_filter code[PROGRAM_MAX];
};

/*
 * Compile the rules. Pure but for libseccomp's names.
 *
 * We write the program ourselves: libseccomp cannot say "any ioctl but these four" (it takes no
 * two comparisons of one argument in a rule, and gives what fits no rule the answer of unknown
 * calls), nor merge neighbouring numbers. docs/seccomp.md has the comparison.
 */
bool program_compile(const struct seccomp_rules *rules, struct seccomp_program *program,
		     struct failure *why);

#endif
