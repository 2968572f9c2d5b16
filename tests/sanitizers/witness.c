/* tests/sanitizers/witness.c - what a sanitizer says is heard, wherever the process is by then. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A shared library that is loaded into all that is built with sanitizers, and into the login
 * services that load the PAM module. A report would be lost on most of them: their standard error
 * is /dev/null, their environment empty, their root a container's. So reports go to a file that
 * tests/login/witness.py has made, through a mapping from before main: it outlives descriptors, a
 * changed root, ids and the system call filter. Where there is no such file, nothing is different.
 */
#define PLACE "/run/carrel-witness"

struct statement {
	_Atomic unsigned length; /* of the text, also of what had no room */
	char text[];
};

static struct statement *statement;
static size_t room;
static pid_t speaker; /* who spoke last in this process or one that it came from */

__attribute__((constructor)) static void open_statement(void)
{
	int fd = open(PLACE, O_RDWR | O_CLOEXEC);
	struct stat file;
	void *map;

	if (fd < 0)
		return;
	if (fstat(fd, &file) == 0 && file.st_size > (off_t)sizeof(*statement)) {
		map = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED) {
			statement = map;
			room = (size_t)file.st_size - sizeof(*statement);
		}
	}
	(void)close(fd);
}

static void state(const char *text)
{
	size_t length = strlen(text);
	size_t at = atomic_fetch_add(&statement->length, (unsigned)length);

	if (at < room)
		memcpy(statement->text + at, text, length < room - at ? length : room - at);
}

/* The names are those that the run times look for (sanitizer/common_interface_defs.h). */
#define HOOK __attribute__((visibility("default")))

HOOK void __sanitizer_on_print(const char *text);
HOOK const char *__asan_default_options(void);
HOOK const char *__ubsan_default_options(void);

void __sanitizer_on_print(const char *text)
{
	if (!statement)
		return;
	if (speaker != getpid()) {
		char head[64];

		speaker = getpid();
		(void)snprintf(head, sizeof(head), "[%.16s, process %d of its namespace]\n",
			       program_invocation_short_name, speaker);
		state(head);
	}
	state(text);
}

/*
 * verify_asan_link_order: this library comes before the run time, so that its words are found
 * first. detect_leaks: the leak checker attaches to the process, which neither the helper's filter
 * nor an undumpable process allows; valgrind looks for leaks (scripts/check --valgrind).
 * quarantine_size_mb: a container with little memory has to have room for PID 1.
 */
const char *__asan_default_options(void)
{
	return "verify_asan_link_order=0:detect_leaks=0:quarantine_size_mb=4:"
	       "detect_stack_use_after_return=1:strict_string_checks=1";
}

const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}
