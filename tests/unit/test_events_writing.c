/* tests/unit/test_events_writing.c - events reach syslog and the file, or trouble is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/events/events.h"
#include "tests/unit/private_mounts.h"
#include "tests/unit/suites.h"

/* "<84>Nov 24 17:46:51 carrel: text": what glibc's syslog(3) sends, and every syslogd reads. */
START_TEST(syslog_lines_are_as_glibc_has_them)
{
	char got[16384], text[9000], expected[64];
	time_t before = time(NULL), after;
	struct tm parts;
	ssize_t length;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	do {
		before = time(NULL);
		ck_assert(syslog_send(ends[0], LOG_AUTHPRIV | LOG_WARNING, "carrel", "two words"));
		after = time(NULL);
		length = recv(ends[1], got, sizeof(got), 0);
		ck_assert_int_gt(length, 0);
		got[length] = '\0';
	} while (before != after);
	ck_assert_ptr_nonnull(localtime_r(&before, &parts));
	ck_assert_uint_gt(
	    strftime(expected, sizeof(expected), "<84>%b %e %H:%M:%S carrel: two words", &parts),
	    0);
	ck_assert_str_eq(got, expected);

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert(syslog_send(ends[0], 84, "carrel", text));
	ck_assert_int_eq(recv(ends[1], got, sizeof(got), 0), 8191);
	ck_assert(!syslog_send(-1, 84, "carrel", "text"));
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert(!syslog_send(ends[0], 84, "carrel", "text"));
	ck_assert_int_eq(close(ends[0]), 0);
}
END_TEST

/* A login must not wait for a syslogd that has stopped reading. */
START_TEST(syslog_that_does_not_read_is_not_waited_for)
{
	int ends[2], sent = 0;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	while (sent < 100000 && syslog_send(ends[0], 84, "carrel", "text"))
		sent++;
	ck_assert_int_gt(sent, 0);
	ck_assert_int_lt(sent, 100000);
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

static const char *const own_dev_and_log[] = {"/dev", "/var/log", NULL};

#define DIRECTORY "/var/log/carrel"
#define FILE_PATH DIRECTORY "/events.jsonl"

static int listen_to_log(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return listener;
}

/* The text of the next line in the log, after priority and time; "" when there is none. */
static const char *next_line(int listener, char got[16384])
{
	ssize_t length = recv(listener, got, 16383, 0);
	const char *text;

	got[length < 0 ? 0 : length] = '\0';
	text = strstr(got, " carrel: ");
	return text ? text + 1 : "";
}

static int mode_of(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 ? (int)(status.st_mode & 07777) : -1;
}

static int check_open(void)
{
	struct failure why;
	int fd;

	(void)umask(077);
	fd = events_open(&why);
	EXPECT(fd >= 0 && mode_of(DIRECTORY) == 0750 && mode_of(FILE_PATH) == 0640);
	EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT(fcntl(fd, F_GETFL) & O_APPEND);
	EXPECT(chmod(FILE_PATH, 0644) == 0 && chmod(DIRECTORY, 0755) == 0);
	(void)umask(0);
	EXPECT(events_open(&why) >= 0 && mode_of(DIRECTORY) == 0755 && mode_of(FILE_PATH) == 0644);
	EXPECT(unlink(FILE_PATH) == 0);
	EXPECT(events_open(&why) >= 0 && mode_of(FILE_PATH) == 0640);
	return 0;
}

START_TEST(the_file_has_its_mode_whatever_the_umask)
{
	check_with_private(own_dev_and_log, check_open, "the_file_has_its_mode_whatever_the_umask");
}
END_TEST

static int check_refusals(void)
{
	struct failure why;

	EXPECT(mkdir(DIRECTORY, 0750) == 0);
	EXPECT(symlink("/var/log/elsewhere", FILE_PATH) == 0);
	EXPECT(events_open(&why) == -1 && mode_of("/var/log/elsewhere") == -1);
	EXPECT(unlink(FILE_PATH) == 0 && mkfifo(FILE_PATH, 0640) == 0);
	EXPECT(events_open(&why) == -1); /* and does not wait for a reader */
	EXPECT(unlink(FILE_PATH) == 0 && chmod(DIRECTORY, 0770) == 0);
	EXPECT(events_open(&why) == -1 && why.kind == FAILURE_DATA);
	EXPECT(chmod(DIRECTORY, 0750) == 0 && chown(DIRECTORY, 1, 0) == 0);
	EXPECT(events_open(&why) == -1 && why.kind == FAILURE_DATA);
	EXPECT(rmdir(DIRECTORY) == 0 && symlink("/tmp", DIRECTORY) == 0);
	EXPECT(events_open(&why) == -1);
	return 0;
}

START_TEST(only_a_file_of_root_alone_is_written)
{
	check_with_private(own_dev_and_log, check_refusals, "only_a_file_of_root_alone_is_written");
}
END_TEST

static int check_write(void)
{
	struct event event = EVENT_INIT;
	struct failure why;
	char got[16384], *text;
	int listener = listen_to_log(), fd = events_open(&why);

	EXPECT(listener >= 0 && fd >= 0);
	event.event = "denied";
	event.user = "eve\n";
	event_write(fd, &event);
	EXPECT(strcmp(next_line(listener, got), "carrel: denied user=eve\\x0a") == 0);
	EXPECT(strncmp(got, "<84>", 4) == 0);
	event.event = "login";
	event_write(fd, &event);
	EXPECT(strcmp(next_line(listener, got), "carrel: login user=eve\\x0a") == 0);
	EXPECT(strncmp(got, "<86>", 4) == 0);
	event_write(-1, &event);
	EXPECT(*next_line(listener, got) && !*next_line(listener, got));
	text = file_read_at(AT_FDCWD, FILE_PATH, 4096, NULL, &why);
	EXPECT(text && strncmp(text, "{\"time\":\"20", 11) == 0);
	EXPECT(strstr(text, ",\"event\":\"denied\",\"user\":\"eve\\u000a\"}\n{\"time\":"));
	EXPECT(strstr(text, ",\"event\":\"login\",\"user\":\"eve\\u000a\"}\n"));
	free(text);
	return 0;
}

START_TEST(an_event_goes_to_syslog_and_file)
{
	check_with_private(own_dev_and_log, check_write, "an_event_goes_to_syslog_and_file");
}
END_TEST

static int check_trouble(void)
{
	struct event event = EVENT_INIT;
	char got[16384];
	int listener = listen_to_log(),
	    full = open("/dev/none", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);

	EXPECT(listener >= 0 && full >= 0);
	event.event = "login";
	event_write(full, &event);
	EXPECT(strcmp(next_line(listener, got), "carrel: login") == 0);
	EXPECT(strstr(next_line(listener, got), strerror(EBADF)));
	EXPECT(!*next_line(listener, got));
	EXPECT(unlink("/dev/log") == 0);
	event_write(full, &event); /* nobody is left to tell */
	return 0;
}

START_TEST(trouble_with_the_file_is_told_once)
{
	check_with_private(own_dev_and_log, check_trouble, "trouble_with_the_file_is_told_once");
}
END_TEST

/* Nobody keeps their name out of the record by what they write beside it. */
static int check_too_long(void)
{
	static char reason[40000];
	struct event event = EVENT_INIT;
	struct failure why;
	char got[16384], *text;
	int listener = listen_to_log(), fd = events_open(&why);

	EXPECT(listener >= 0 && fd >= 0);
	memset(reason, 'x', sizeof(reason) - 1);
	event.event = "denied";
	event.user = "eve";
	event.reason = reason;
	event_write(fd, &event);
	EXPECT(strcmp(next_line(listener, got), "carrel: denied user=eve reason=\"(too long)\"") ==
	       0);
	text = file_read_at(AT_FDCWD, FILE_PATH, 4096, NULL, &why);
	EXPECT(text && strstr(text, "\"user\":\"eve\",\"reason\":\"(too long)\"}\n"));
	free(text);
	return 0;
}

START_TEST(an_event_too_long_is_told_without_its_reason)
{
	check_with_private(own_dev_and_log, check_too_long,
			   "an_event_too_long_is_told_without_its_reason");
}
END_TEST

Suite *events_writing_suite(void)
{
	Suite *suite = suite_create("events_writing");
	TCase *tests = tcase_create("writing");

	tcase_add_test(tests, syslog_lines_are_as_glibc_has_them);
	tcase_add_test(tests, syslog_that_does_not_read_is_not_waited_for);
	tcase_add_test(tests, the_file_has_its_mode_whatever_the_umask);
	tcase_add_test(tests, only_a_file_of_root_alone_is_written);
	tcase_add_test(tests, an_event_goes_to_syslog_and_file);
	tcase_add_test(tests, trouble_with_the_file_is_told_once);
	tcase_add_test(tests, an_event_too_long_is_told_without_its_reason);
	suite_add_tcase(suite, tests);
	return suite;
}
