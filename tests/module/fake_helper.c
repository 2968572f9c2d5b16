/* tests/module/fake_helper.c - stands where the helper stands and answers well, badly or not. */

/*
 * The mode is the text of FAKE_DIR/mode, because the module starts a helper without arguments or
 * environment of the caller's. What it was given is written to FAKE_DIR/seen.
 */
#include "tests/module/fake_helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "account/account.h"

void die(const char *what)
{
	(void)fprintf(stderr, "fake helper: %s: %s\n", what, strerror(errno));
	exit(98);
}

void send_bytes(int channel, const void *data, size_t length, const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr aligned;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(size_t)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd_count) {
		struct cmsghdr *header;

		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
	}
	if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0)
		die("sendmsg");
}

void send_reply(int channel, const struct wire_reply *reply, const int *fds, size_t fd_count)
{
	unsigned char data[WIRE_MAX];
	size_t length = wire_encode_reply(reply, data, sizeof(data));

	if (length == 0)
		die("this reply cannot be encoded");
	send_bytes(channel, data, length, fds, fd_count);
}

/* ---- what the helper was given -----------------------------------------------------------------
 */

static void tell_descriptors(FILE *seen)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (!dir)
		die("/proc/self/fd");
	(void)fprintf(seen, "descriptors=");
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir) &&
		    atoi(entry->d_name) != fileno(seen))
			(void)fprintf(seen, "%s ", entry->d_name);
	(void)fprintf(seen, "\n");
	(void)closedir(dir);
}

static void tell_signals(FILE *seen)
{
	unsigned blocked = 0, ignored = 0;
	sigset_t mask;

	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) < 0)
			continue; /* the two that libc keeps to itself */
		ignored += action.sa_handler == SIG_IGN;
		blocked += sigismember(&mask, number) == 1;
	}
	(void)fprintf(seen, "blocked=%u\nignored=%u\n", blocked, ignored);
}

static void tell_outputs(FILE *seen)
{
	char path[256];

	for (int fd = 1; fd <= 2; fd++) {
		char link[32];
		ssize_t length;

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, path, sizeof(path) - 1);
		path[length < 0 ? 0 : length] = '\0';
		(void)fprintf(seen, "output%d=%s\n", fd, path);
	}
}

static void tell_account(FILE *seen, const struct wire_request *request)
{
	struct account *account =
	    request->account ? account_unpack(request->account, request->account_length) : NULL;

	(void)fprintf(seen, "told=");
	if (account)
		(void)fprintf(seen, "%s:%u:%u:%s:%s", account->name, account->uid, account->gid,
			      account->home, account->shell);
	for (size_t i = 0; account && i < account->group_count; i++)
		(void)fprintf(seen, " %s", account->groups[i].name);
	(void)fputc('\n', seen);
	free(account);
}

static void tell_seen(int argc, char **argv, const struct wire_request *request)
{
	FILE *seen = fopen(FAKE_DIR "/seen", "we");

	if (!seen)
		die(FAKE_DIR "/seen");
	(void)fprintf(seen, "arguments=");
	for (int i = 0; i < argc; i++)
		(void)fprintf(seen, "%s%s", i ? " " : "", argv[i]);
	(void)fprintf(seen, "\nenvironment=%s\n", environ && *environ ? *environ : "");
	(void)fprintf(seen, "leader=%s\n", getsid(0) == getpid() ? "yes" : "no");
	tell_descriptors(seen);
	tell_outputs(seen);
	tell_signals(seen);
	(void)fprintf(seen, "verb=%d\nuser=%s\nservice=%s\ntty=%s\nrhost=%s\ncontainer=%s\n",
		      request->verb, request->user, request->service, request->tty, request->rhost,
		      request->container);
	tell_account(seen, request);
	if (fclose(seen) != 0)
		die(FAKE_DIR "/seen");
}

/* ---- answers --------------------------------------------------------------------------------- */

static const struct wire_reply host = {.action = WIRE_HOST};

static void answer_host(int channel)
{
	send_reply(channel, &host, NULL, 0);
}

static void answer_host_with_texts(int channel)
{
	const struct wire_reply reply = {.action = WIRE_HOST,
					 .user_text = "mind the\nstep\t\033[2J\302\233x",
					 .log_text = "exempt\nforged: line"};

	send_reply(channel, &reply, NULL, 0);
}

static void answer_deny(int channel)
{
	const struct wire_reply reply = {.action = WIRE_DENY,
					 .user_text = "You may not log in here.",
					 .log_text = "policy staff denies"};

	send_reply(channel, &reply, NULL, 0);
}

static void answer_deny_without_text(int channel)
{
	const struct wire_reply reply = {.action = WIRE_DENY};

	send_reply(channel, &reply, NULL, 0);
}

static void answer_slowly(int channel)
{
	(void)usleep(700 * 1000);
	answer_host(channel);
}

static void answer_and_linger(int channel)
{
	answer_host(channel);
	for (;;)
		(void)pause();
}

static void answer_and_crash(int channel)
{
	answer_host(channel);
	abort();
}

static void answer_twice(int channel)
{
	answer_host(channel);
	answer_deny(channel);
}

static void crash(int channel)
{
	(void)channel;
	abort();
}

static void end_quietly(int channel)
{
	(void)channel;
}

static void end_with_three(int channel)
{
	(void)channel;
	exit(3);
}

static void hang(int channel)
{
	(void)channel;
	for (;;)
		(void)pause();
}

static void close_and_hang(int channel)
{
	(void)close(channel);
	hang(-1);
}

/* The channel stays open in a process that the module does not know. */
static void leave_child_with_channel(int channel)
{
	(void)channel;
	if (fork() == 0) {
		(void)sleep(4);
		_exit(0);
	}
}

/* A sound reply, with `length` bytes of it sent and one of them changed. */
static void send_spoilt(int channel, size_t length, size_t at, unsigned char value)
{
	unsigned char data[WIRE_MAX + 4096] = {0};
	size_t whole = wire_encode_reply(&host, data, WIRE_MAX);

	if (at)
		data[at] = value;
	send_bytes(channel, data, length ? length : whole, NULL, 0);
}

static void answer_half_and_crash(int channel)
{
	send_spoilt(channel, 20, 0, 0);
	abort();
}

static void answer_short(int channel)
{
	send_spoilt(channel, 5, 0, 0);
}

static void answer_nothing(int channel)
{
	send_bytes(channel, "", 0, NULL, 0);
}

static void answer_trailing(int channel)
{
	send_spoilt(channel, 200, 0, 0);
}

static void answer_long(int channel)
{
	send_spoilt(channel, WIRE_MAX + 1, 0, 0);
}

static void answer_wrong_magic(int channel)
{
	send_spoilt(channel, 0, 3, 'X');
}

static void answer_wrong_version(int channel)
{
	send_spoilt(channel, 0, 4, WIRE_VERSION + 1);
}

static void answer_garbage(int channel)
{
	unsigned char data[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 37 + 11);
	send_bytes(channel, data, sizeof(data), NULL, 0);
}

static const int plain_fds[] = {2, 2, 2, 2, 2, 2};
static const struct wire_reply contain = {
    .action = WIRE_CONTAIN, .fd_count = WIRE_FD_COUNT, .namespaces = 0x10000000};

static void answer_without_declared_fds(int channel)
{
	send_reply(channel, &contain, NULL, 0);
}

static void answer_with_one_fd(int channel)
{
	send_reply(channel, &contain, plain_fds, 1);
}

static void answer_with_three_fds(int channel)
{
	send_reply(channel, &contain, plain_fds, 3);
}

static void answer_with_six_fds(int channel)
{
	send_reply(channel, &contain, plain_fds, 6);
}

static void answer_host_with_fd(int channel)
{
	send_reply(channel, &host, plain_fds, 1);
}

static void answer_garbage_with_fds(int channel)
{
	send_bytes(channel, "garbage", 7, plain_fds, 2);
}

/* Signs of life for two seconds, the first with a text that has a control byte. */
static void wait_and_answer(int channel)
{
	static const struct wire_reply silent = {.action = WIRE_WAIT};
	static const struct wire_reply telling = {.action = WIRE_WAIT,
						  .user_text = "12 before you\033[2J"};

	for (int i = 0; i < 5; i++) {
		send_reply(channel, i ? &silent : &telling, NULL, 0);
		(void)usleep(400000);
	}
	answer_host(channel);
}

static void wait_and_crash(int channel)
{
	static const struct wire_reply silent = {.action = WIRE_WAIT};

	send_reply(channel, &silent, NULL, 0);
	abort();
}

static void wait_and_hang(int channel)
{
	static const struct wire_reply silent = {.action = WIRE_WAIT};

	send_reply(channel, &silent, NULL, 0);
	hang(channel);
}

static const struct mode {
	const char *name;
	void (*run)(int channel);
} modes[] = {
    {"close-and-hang", close_and_hang},
    {"crash", crash},
    {"deny", answer_deny},
    {"deny-without-text", answer_deny_without_text},
    {"empty", answer_nothing},
    {"exit-3", end_with_three},
    {"fds-garbage", answer_garbage_with_fds},
    {"fds-host", answer_host_with_fd},
    {"fds-none", answer_without_declared_fds},
    {"fds-one", answer_with_one_fd},
    {"fds-six", answer_with_six_fds},
    {"fds-three", answer_with_three_fds},
    {"garbage", answer_garbage},
    {"half-and-crash", answer_half_and_crash},
    {"hang", hang},
    {"host", answer_host},
    {"host-and-crash", answer_and_crash},
    {"host-and-linger", answer_and_linger},
    {"host-with-texts", answer_host_with_texts},
    {"long", answer_long},
    {"orphan", leave_child_with_channel},
    {"quiet", end_quietly},
    {"short", answer_short},
    {"slow", answer_slowly},
    {"trailing", answer_trailing},
    {"twice", answer_twice},
    {"wait", wait_and_answer},
    {"wait-and-crash", wait_and_crash},
    {"wait-and-hang", wait_and_hang},
    {"wrong-magic", answer_wrong_magic},
    {"wrong-version", answer_wrong_version},
};

static void answer(int channel, const char *mode)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, mode) == 0) {
			modes[i].run(channel);
			return;
		}
	}
	if (!answer_contain(channel, mode))
		die(mode);
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	struct wire_request request;
	static unsigned char data[WIRE_REQUEST_MAX];
	char mode[64] = "";
	FILE *file = fopen(FAKE_DIR "/mode", "re");
	ssize_t length;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (!file || fscanf(file, "%63s", mode) != 1 || fclose(file) != 0)
		die(FAKE_DIR "/mode");
	if (strcmp(mode, "crash-before-reading") == 0)
		abort();
	length = recv(0, data, sizeof(data), 0);
	if (length < 0 || !wire_decode_request(data, (size_t)length, &request))
		die("no sound request");
	tell_seen(argc, argv, &request);
	answer(0, mode);
	return 0;
}
