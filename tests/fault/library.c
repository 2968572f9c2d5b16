/* tests/fault/library.c - preloaded into a program: one library call of it fails. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * CARREL_FAULT is "NUMBER LOG OBJECT": of the calls that OBJECT (a library that the program loads,
 * by the end of its name, or "program" for itself) makes of the functions in "stubs.inc", the
 * NUMBERth fails, counted from 0 in the order of all its processes. LOG is a file with a struct
 * told, which is mapped: who has entered a container could not open it.
 *
 * stubs.inc has a line STUB(NAME, NUMBER, RESULT, CLEARS) for each function: what it returns when
 * it fails, and an instruction that clears what it would have set. Each is a function of that name
 * here, which asks decide() and goes on to the real one, or returns.
 */
#ifndef __x86_64__
#error "say how arguments are kept on this machine"
#endif

static const char *const names[] = {
#define STUB(name, number, result, clears) #name,
#include "stubs.inc"
#undef STUB
};

__attribute__((visibility("hidden"))) void *fault_real[sizeof(names) / sizeof(*names)];

struct told {
	int64_t calls;  /* so many there were */
	int64_t failed; /* the number of the function that failed, plus one */
};

static struct told *told; /* children share it, so that a point is one and the same call */
static long number;
static char object[64];
static uintptr_t begins, ends; /* of the object's code */

static int find_object(struct dl_phdr_info *info, size_t size, void *data)
{
	size_t length = strlen(info->dlpi_name), wanted = strlen(object);

	(void)size;
	(void)data;
	if (wanted ? wanted > length || strcmp(info->dlpi_name + length - wanted, object) != 0
		   : length > 0)
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
			continue;
		begins = info->dlpi_addr + part->p_vaddr;
		ends = begins + part->p_memsz;
	}
	return 1;
}

/* Is this call to fail? Only what the object itself calls is counted, and nothing from here. */
__attribute__((visibility("hidden"), used)) int fault_decide(size_t stub, uintptr_t caller)
{
	if (!fault_real[stub])
		fault_real[stub] = dlsym(RTLD_NEXT, names[stub]);
	if (told && !ends)
		(void)dl_iterate_phdr(find_object, NULL);
	if (!told || caller < begins || caller >= ends)
		return 0;
	if (__atomic_fetch_add(&told->calls, 1, __ATOMIC_SEQ_CST) != number)
		return 0;
	told->failed = (int64_t)stub + 1;
	errno = ENOMEM;
	return 1;
}

/* Registers of arguments, also of floating point ones, are what they were when the real one runs.
 */
#define STUB(name, number, result, clears)                                                         \
	__asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n"                \
		"pushq %rdi\npushq %rsi\npushq %rdx\npushq %rcx\npushq %r8\npushq %r9\n"           \
		"pushq %rax\nsubq $128, %rsp\n"                                                    \
		"movups %xmm0, (%rsp)\nmovups %xmm1, 16(%rsp)\nmovups %xmm2, 32(%rsp)\n"           \
		"movups %xmm3, 48(%rsp)\nmovups %xmm4, 64(%rsp)\nmovups %xmm5, 80(%rsp)\n"         \
		"movups %xmm6, 96(%rsp)\nmovups %xmm7, 112(%rsp)\n"                                \
		"movq $" #number ", %rdi\nmovq 184(%rsp), %rsi\ncall fault_decide\n"               \
		"movl %eax, %r11d\n"                                                               \
		"movups (%rsp), %xmm0\nmovups 16(%rsp), %xmm1\nmovups 32(%rsp), %xmm2\n"           \
		"movups 48(%rsp), %xmm3\nmovups 64(%rsp), %xmm4\nmovups 80(%rsp), %xmm5\n"         \
		"movups 96(%rsp), %xmm6\nmovups 112(%rsp), %xmm7\n"                                \
		"addq $128, %rsp\npopq %rax\npopq %r9\npopq %r8\npopq %rcx\npopq %rdx\n"           \
		"popq %rsi\npopq %rdi\n"                                                           \
		"testl %r11d, %r11d\njne 1f\n"                                                     \
		"leaq fault_real(%rip), %r11\njmp *(8 * " #number ")(%r11)\n"                      \
		"1: " clears "\nmovq $" #result ", %rax\nret\n"                                    \
		".size " #name ", . - " #name "\n");
#include "stubs.inc"
#undef STUB

__attribute__((constructor)) static void begin(void)
{
	const char *words = getenv("CARREL_FAULT");
	char log[256];
	void *place;
	int file;

	if (!words || sscanf(words, "%ld %255s %63s", &number, log, object) != 3)
		return;
	if (strcmp(object, "program") == 0)
		*object = '\0'; /* as the loader calls it */
	file = open(log, O_RDWR | O_CLOEXEC);
	place = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (file < 0 || place == MAP_FAILED)
		_exit(97);
	(void)close(file);
	told = place;
}
