/* helper/seccomp/arch.h - the one system call convention that contained programs may use. */
#ifndef CARREL_HELPER_SECCOMP_ARCH_H
#define CARREL_HELPER_SECCOMP_ARCH_H

#include <linux/audit.h>

/*
 * Only 64-bit little-endian machines whose call table was reviewed: on the others socketcall(2)
 * and ipc(2) hide the arguments that table.c checks behind a pointer, or clone(2) takes its flags
 * in another place.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#else
#error "the system calls of this architecture were not reviewed: see helper/seccomp/table.c"
#endif

/*
 * x32 calls carry the x86_64 architecture and this bit in their number. They take the same calls
 * by other numbers and with other structures, so that a list of plain numbers would miss them.
 */
#ifdef __x86_64__
#define X32_CALL_BIT 0x40000000u
#endif

#endif
