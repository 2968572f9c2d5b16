/* tests/bench/tiny_init.c - the least that can be PID 1: without libc, it says that it runs. */
#include <sys/syscall.h>

#if defined(__x86_64__)
static long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
#else
#error "no system call of this architecture is known here"
#endif

/* 0 is the pipe of who waits. It ends when the pipe does, or by a signal from outside. */
void _start(void)
{
	char byte = 0;

	(void)call(SYS_write, 0, (long)&byte, 1);
	(void)call(SYS_read, 0, (long)&byte, 1);
	(void)call(SYS_exit_group, 0, 0, 0);
	__builtin_unreachable();
}
