/* helper/storage/ext4_tools.c - make, check and grow an ext4 file system in a file. */
#include "helper/storage/ext4_tools.h"
#include "base/kernel_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MKFS   "/sbin/mkfs.ext4"
#define E2FSCK "/sbin/e2fsck"
#define RESIZE "/sbin/resize2fs"

/* Where the program finds the file: a path of its own could lead somewhere else by then. */
#define IMAGE_FD   3
#define IMAGE_PATH "/proc/self/fd/3"

#define E2FSCK_CORRECTED 1 /* e2fsck(8), EXIT CODE */
#define WORDS_SIZE       160
#define SMALL_BLOCKS     131072 /* 512 MiB */

bool ext4_tools_exist(void)
{
	return access(MKFS, X_OK) == 0 && access(E2FSCK, X_OK) == 0 && access(RESIZE, X_OK) == 0;
}

bool ext4_damaged(const char *path, const char *what, struct failure *why)
{
	return fail(why, FAILURE_DATA, 0,
		    "%s: %s; the data were left as they are: make a copy and run e2fsck on it by "
		    "hand",
		    path, what);
}

/* The first line of what a program said, for the log. */
static void read_words(int said, char words[WORDS_SIZE])
{
	ssize_t length = pread(said, words, WORDS_SIZE - 1, 0);

	words[length > 0 ? length : 0] = '\0';
	words[strcspn(words, "\n")] = '\0';
	for (char *at = words; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
}

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int image,
		   int said)
{
	sigset_t all, none;
	int error;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigdefault(attributes, &all);
	(void)posix_spawnattr_setsigmask(attributes, &none);
	(void)posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if ((error = posix_spawn_file_actions_adddup2(actions, said, 2)) == 0 &&
	    (error = posix_spawn_file_actions_adddup2(actions, 2, 1)) == 0 &&
	    (error = posix_spawn_file_actions_adddup2(actions, image, IMAGE_FD)) == 0 &&
	    (error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)) == 0)
		error = close_at_exec_from(IMAGE_FD + 1);
	return error;
}

/* A program, and how long it may take. */
struct job {
	char *const *arguments;
	int image;
	const char *path;
	unsigned patience_s; /* 0: as long as it takes */
	bool may_be_killed;
	const char *advice; /* when it takes longer */
};

#define WAIT_FOR_IT "'carrel quota apply' of the stopped container waits for it"

static bool has_ended(pid_t child, unsigned patience_s)
{
	struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
	int ready;

	if (ended.fd < 0)
		return true; /* then only waiting is left */
	do
		ready = poll(&ended, 1, patience_s ? (int)patience_s * 1000 : -1);
	while (ready < 0 && errno == EINTR);
	(void)close(ended.fd);
	return ready != 0;
}

/* Returns true when the child was waited for. */
static bool wait_for(const struct job *job, pid_t child, int *status, struct failure *why)
{
	const char *program = job->arguments[0];

	if (!has_ended(child, job->patience_s)) {
		(void)fail(why, FAILURE_BUSY, 0, "%s on %s takes more than %u seconds%s: %s",
			   program, job->path, job->patience_s,
			   job->may_be_killed ? "" : " and goes on by itself", job->advice);
		if (!job->may_be_killed)
			return false;
		(void)kill(child, SIGKILL);
		while (waitpid(child, status, 0) < 0 && errno == EINTR)
			;
		return false;
	}
	while (waitpid(child, status, 0) < 0)
		if (errno != EINTR)
			return fail(why, FAILURE_SYSTEM, errno, "lost %s", program);
	return true;
}

/*
 * Returns the exit status, -1 with *why when it was not started or was killed. The descriptors are
 * copied to numbers above those that the program gets, so that none is covered by another.
 */
static int run(const struct job *job, char words[WORDS_SIZE], struct failure *why)
{
	char *const *arguments = job->arguments;
	_cleanup_close_ int memory = memfd_create("words", MFD_CLOEXEC);
	_cleanup_close_ int said = fcntl(memory, F_DUPFD_CLOEXEC, IMAGE_FD + 1);
	_cleanup_close_ int high = fcntl(job->image, F_DUPFD_CLOEXEC, IMAGE_FD + 1);
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error, status = 0;
	pid_t child;

	words[0] = '\0';
	if (said < 0 || high < 0 || posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawnattr_init(&attributes) != 0)
		return fail_fd(why, FAILURE_SYSTEM, errno, "cannot start %s", arguments[0]);
	error = prepare(&actions, &attributes, high, said);
	if (error == 0)
		error = posix_spawn(&child, arguments[0], &actions, &attributes, arguments,
				    environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	if (error)
		return fail_fd(why, FAILURE_SYSTEM, error, "cannot start %s", arguments[0]);
	if (!wait_for(job, child, &status, why))
		return -1;
	read_words(said, words);
	if (!WIFEXITED(status))
		return fail_fd(why, FAILURE_SYSTEM, 0, "%s was killed by signal %d", arguments[0],
			       WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* As mke2fs.conf has it unless changed: one inode for this many bytes, more of them when small. */
static uint64_t bytes_an_inode(uint64_t blocks)
{
	return blocks < SMALL_BLOCKS ? 4096 : 16384;
}

bool ext4_make(int image, const char *path, uint64_t blocks, uint64_t inodes, unsigned patience_s,
	       struct failure *why)
{
	char size[24], count[24], words[WORDS_SIZE];
	/* All that matters is said here: the machine's mke2fs.conf may be anything. */
	char *arguments[] = {
	    (char[]){MKFS},
	    (char[]){"-q"},
	    (char[]){"-F"},
	    (char[]){"-m"},
	    (char[]){"0"},
	    (char[]){"-b"},
	    (char[]){"4096"},
	    (char[]){"-I"},
	    (char[]){"256"},
	    (char[]){"-O"},
	    (char[]){"has_journal,extent,64bit,metadata_csum,^bigalloc,^encrypt,^quota"},
	    (char[]){"-E"},
	    (char[]){"lazy_itable_init=1,root_owner=0:0"},
	    inodes ? (char[]){"-N"} : (char[]){"-i"},
	    count,
	    (char[]){IMAGE_PATH},
	    size,
	    NULL,
	};
	const struct job job = {
	    arguments,  image, path,
	    patience_s, true,  "see what keeps the disk of state_dir busy, and try again"};
	int status;

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)blocks);
	(void)snprintf(count, sizeof(count), "%llu",
		       (unsigned long long)(inodes ? inodes : bytes_an_inode(blocks)));
	status = run(&job, words, why);
	return status == 0 ||
	       (status > 0 &&
		fail(why, FAILURE_SYSTEM, 0, "cannot make %s: " MKFS " ended with status %d (%s)",
		     path, status, words));
}

bool ext4_check(int image, const char *path, bool all, unsigned patience_s, struct failure *why)
{
	char *const arguments[] = {(char[]){E2FSCK}, all ? (char[]){"-pf"} : (char[]){"-p"},
				   (char[]){IMAGE_PATH}, NULL};
	const struct job job = {arguments, image, path, patience_s, true, WAIT_FOR_IT};
	char words[WORDS_SIZE], what[WORDS_SIZE + 64];
	int status = run(&job, words, why);

	if (status < 0)
		return false;
	if (status <= E2FSCK_CORRECTED)
		return true;
	(void)snprintf(what, sizeof(what), "e2fsck -p ended with status %d (%s)", status, words);
	return ext4_damaged(path, what, why);
}

bool ext4_grow(int image, const char *path, uint64_t blocks, unsigned patience_s,
	       struct failure *why)
{
	char size[24], words[WORDS_SIZE];
	char *const arguments[] = {(char[]){RESIZE}, (char[]){IMAGE_PATH}, size, NULL};
	const struct job job = {arguments, image, path, patience_s, false, WAIT_FOR_IT};
	int status;

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)blocks);
	status = run(&job, words, why);
	return status == 0 ||
	       (status > 0 &&
		fail(why, FAILURE_SYSTEM, 0, "cannot grow %s: " RESIZE " ended with status %d (%s)",
		     path, status, words));
}
