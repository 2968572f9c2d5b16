/* helper/watch/main.c - carrel-watch: stay on the host as long as a contained login lasts. */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "helper/watch/audit.h"
#include "helper/watch/record.h"

/*
 * The login service has left the host for its container, so the host's own accounts of who is
 * logged in would lose it. This process stays in its place: in the scope that logind made for the
 * session, which is over when the last process in it ends, with the records in utmp and wtmp which
 * who(1), w(1) and last(1) read, and with those of audit, which the kernel takes from the host's
 * user namespace only. It ends when the login service does; asked to end (loginctl
 * terminate-session, the machine's shutdown), it passes that on to the login service.
 */
#define SERVICE_FD 3 /* pidfd of the login service */

/* Signals go to the container's root, another user here; root's files need no capability. */
static bool drop_capabilities(void)
{
	static const int kept[] = {CAP_KILL, CAP_AUDIT_WRITE};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct had[2], data[2] = {0};

	if (syscall(SYS_capget, &header, had) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(kept); i++) {
		int word = CAP_TO_INDEX(kept[i]);

		data[word].permitted |= had[word].permitted & CAP_TO_MASK(kept[i]);
		data[word].effective = data[word].permitted;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_capset, &header, data) == 0;
}

/* A getty leaves a record of the process that becomes login(1); its id is to be kept (utmp(5)). */
static bool find_id(pid_t pid, char id[4])
{
	const struct utmpx *entry;
	bool found = false;

	setutxent();
	while (!found && (entry = getutxent())) {
		found = entry->ut_pid == pid &&
			(entry->ut_type == LOGIN_PROCESS || entry->ut_type == INIT_PROCESS);
		if (found)
			memcpy(id, entry->ut_id, 4);
	}
	endutxent();
	return found;
}

/* A machine that keeps no such files wants none: pututxline(3) and updwtmpx(3) make none. */
static void write_record(const struct utmpx *record)
{
	setutxent();
	(void)pututxline(record);
	endutxent();
	updwtmpx(_PATH_WTMP, record);
}

static void pass_on(void)
{
	/* In the order of systemd's SendSIGHUP: a shell ends by the first, a service by the second.
	 */
	(void)pidfd_send_signal(SERVICE_FD, SIGHUP, NULL, 0);
	(void)pidfd_send_signal(SERVICE_FD, SIGTERM, NULL, 0);
}

static void wait_for_end(int signals)
{
	struct pollfd sources[] = {{.fd = SERVICE_FD, .events = POLLIN},
				   {.fd = signals, .events = POLLIN}};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(sources, ARRAY_LENGTH(sources), -1) < 0 && errno != EINTR)
			return;
		if (sources[0].revents)
			return;
		if (sources[1].revents & POLLIN &&
		    read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			pass_on();
	}
}

int main(int argc, char **argv)
{
	struct utmpx record;
	struct login_facts facts;
	sigset_t asked;
	char id[4];
	int signals, audit;

	if (argc != 6 || pidfd_send_signal(SERVICE_FD, 0, NULL, 0) < 0) {
		static const char usage[] =
		    "carrel-watch is started by Carrel's helper, not by hand\n";

		(void)file_write_all(2, usage, sizeof(usage) - 1);
		return 2;
	}
	facts =
	    (struct login_facts){.user = argv[1], .host = argv[2], .line = argv[3], .tty = argv[4]};
	facts.pid = (pid_t)strtol(argv[5], NULL, 10);
	facts.session = getsid(facts.pid);
	(void)sigemptyset(&asked);
	(void)sigaddset(&asked, SIGTERM);
	(void)sigaddset(&asked, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &asked, NULL);
	signals = signalfd(-1, &asked, SFD_CLOEXEC);
	if (signals < 0 || !drop_capabilities())
		return 1;
	record_login(&facts, find_id(facts.pid, id) ? id : NULL, time(NULL), &record);
	write_record(&record);
	audit = audit_open_socket();
	audit_begin(audit, &facts);
	wait_for_end(signals);
	record_logout(time(NULL), &record);
	write_record(&record);
	audit_end(audit, &facts);
	return 0;
}
