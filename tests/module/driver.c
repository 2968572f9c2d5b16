/* tests/module/driver.c - a PAM application that does what it is told and tells what it sees. */

/*
 *	driver CONFDIR SERVICE USER ACTION...
 *
 * USER "-" is no user at all. Each ACTION is a row of the table at the end, carried out in order;
 * results are lines "name=value" on standard output. Ids, capabilities and the like are asked of
 * the kernel by system call, because after a join /proc is the container's.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_appl.h>

static void die(const char *what)
{
	(void)fprintf(stderr, "driver: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void tell(const char *name, const char *value)
{
	(void)dprintf(1, "%s=%s\n", name, value);
}

static void tell_number(const char *name, long value)
{
	(void)dprintf(1, "%s=%ld\n", name, value);
}

/* "ok", or the name of the error. */
static void tell_result(const char *name, bool good)
{
	tell(name, good ? "ok" : strerrorname_np(errno));
}

/* ---- the service's own life ---------------------------------------------------------------- */

static volatile sig_atomic_t reaped_by_handler;

static void reap_any(int signal)
{
	int saved = errno;

	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		reaped_by_handler++;
	errno = saved;
}

static void set_handler(pam_handle_t *pamh, const char *argument)
{
	struct sigaction action = {.sa_flags = SA_RESTART};

	(void)pamh;
	action.sa_handler = strcmp(argument, "reap") == 0 ? reap_any : SIG_IGN;
	if (sigaction(SIGCHLD, &action, NULL) < 0)
		die("sigaction");
}

static void tell_handler(pam_handle_t *pamh, const char *argument)
{
	struct sigaction action;

	(void)pamh;
	(void)argument;
	if (sigaction(SIGCHLD, NULL, &action) < 0)
		die("sigaction");
	tell("sigchld", action.sa_handler == reap_any  ? "reap"
			: action.sa_handler == SIG_IGN ? "ignore"
						       : "default");
	tell_number("reaped", reaped_by_handler);
}

/* Both are inherited through exec unless something is done about it. */
static void ignore_and_block(pam_handle_t *pamh, const char *argument)
{
	sigset_t set;

	(void)pamh;
	(void)argument;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die("signals");
}

/* A child of the service's own, which ends after so many milliseconds. */
static void start_child(pam_handle_t *pamh, const char *argument)
{
	(void)pamh;
	switch (fork()) {
	case -1:
		die("fork");
		break;
	case 0:
		(void)usleep((useconds_t)atoi(argument) * 1000);
		_exit(0);
	}
}

static void tell_children(pam_handle_t *pamh, const char *argument)
{
	siginfo_t info = {0};

	(void)pamh;
	(void)argument;
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		tell("children", errno == ECHILD ? "none" : strerrorname_np(errno));
	else
		tell("children", info.si_pid ? "ended" : "running");
}

static void *sleep_in_thread(void *nothing)
{
	(void)pause();
	return nothing;
}

static void start_thread(pam_handle_t *pamh, const char *argument)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, sleep_in_thread, NULL);

	(void)pamh;
	(void)argument;
	errno = error;
	tell_result("thread", error == 0);
}

static void tell_descriptors(pam_handle_t *pamh, const char *argument)
{
	long count = 0;

	(void)pamh;
	(void)argument;
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			count++;
	tell_number("descriptors", count);
}

static void put_at(const char *argument, const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0 || (fd != atoi(argument) && (dup2(fd, atoi(argument)) < 0 || close(fd) < 0)))
		die(path);
}

static void put_directory(pam_handle_t *pamh, const char *argument)
{
	(void)pamh;
	put_at(argument, "/", O_RDONLY | O_DIRECTORY);
}

static void put_path(pam_handle_t *pamh, const char *argument)
{
	(void)pamh;
	put_at(argument, "/etc/passwd", O_PATH);
}

static void close_descriptor(pam_handle_t *pamh, const char *argument)
{
	(void)pamh;
	(void)close(atoi(argument));
}

/* ---- ids and privileges --------------------------------------------------------------------- */

static void set_groups(pam_handle_t *pamh, const char *argument)
{
	gid_t groups[8];
	size_t count = 0;
	char *rest;

	(void)pamh;
	for (; *argument && count < 8; argument = *rest ? rest + 1 : rest)
		groups[count++] = (gid_t)strtoul(argument, &rest, 10);
	if (setgroups(count, groups) < 0)
		die("setgroups");
}

/* real,effective,saved; "keep" before them keeps the permitted capabilities. */
static void set_ids(pam_handle_t *pamh, const char *argument)
{
	unsigned real, effective, saved;
	bool keep = strncmp(argument, "keep", 4) == 0;

	(void)pamh;
	if (keep && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		die("PR_SET_KEEPCAPS");
	if (sscanf(argument + (keep ? 4 : 0), "%u,%u,%u", &real, &effective, &saved) != 3 ||
	    setresuid(real, effective, saved) < 0)
		die("setresuid");
}

static void drop_capabilities(pam_handle_t *pamh, const char *argument)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	(void)pamh;
	(void)argument;
	if (syscall(SYS_capset, &header, data) < 0)
		die("capset");
}

static void try_setuid(pam_handle_t *pamh, const char *argument)
{
	uid_t uid = (uid_t)strtoul(argument, NULL, 10);

	(void)pamh;
	tell_result("setuid", setresuid(uid, uid, uid) == 0);
}

static void new_keyring(pam_handle_t *pamh, const char *argument)
{
	(void)pamh;
	(void)argument;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		die("keyctl");
}

static void tell_keyring(void)
{
	long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);

	(void)dprintf(1, "keyring=%lx\n", id);
}

static void tell_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	unsigned long long bounding = 0;

	if (syscall(SYS_capget, &header, data) < 0)
		die("capget");
	for (unsigned long i = 0; i < 64; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			bounding |= 1ULL << i;
	(void)dprintf(1, "permitted=%08x%08x\neffective=%08x%08x\ninheritable=%08x%08x\n",
		      data[1].permitted, data[0].permitted, data[1].effective, data[0].effective,
		      data[1].inheritable, data[0].inheritable);
	(void)dprintf(1, "bounding=%016llx\n", bounding);
}

static void tell_groups(void)
{
	gid_t groups[32];
	int count = getgroups(32, groups);

	(void)dprintf(1, "groups=");
	for (int i = 0; i < count; i++)
		(void)dprintf(1, "%s%u", i ? "," : "", groups[i]);
	(void)dprintf(1, "\n");
}

/* The program of the fake helper makes getpriority(2) fail with EBADFD; nothing else does. */
static void tell_state(pam_handle_t *pamh, const char *argument)
{
	uid_t uid[3] = {1, 1, 1};
	gid_t gid[3] = {1, 1, 1};
	mode_t mask = umask(0);

	(void)pamh;
	(void)argument;
	(void)umask(mask);
	(void)getresuid(&uid[0], &uid[1], &uid[2]);
	(void)getresgid(&gid[0], &gid[1], &gid[2]);
	(void)dprintf(1, "uids=%u,%u,%u\ngids=%u,%u,%u\numask=%03o\n", uid[0], uid[1], uid[2],
		      gid[0], gid[1], gid[2], mask);
	tell_groups();
	tell_capabilities();
	tell_keyring();
	tell_number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	tell_number("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	errno = 0;
	tell("filter", getpriority(PRIO_PROCESS, 0) == -1 && errno == EBADFD ? "on" : "off");
}

/* ---- what can be reached --------------------------------------------------------------------- */

static void try_read(pam_handle_t *pamh, const char *argument)
{
	int fd = open(argument, O_RDONLY | O_CLOEXEC);

	(void)pamh;
	tell_result("read", fd >= 0);
	if (fd >= 0)
		(void)close(fd);
}

static void try_mount(pam_handle_t *pamh, const char *argument)
{
	(void)pamh;
	tell_result("mount", syscall(SYS_mount, "none", argument, "tmpfs", 0UL, (void *)NULL) == 0);
}

/* A child that is the user and stays until the test, which looks at it from outside, kills it. */
static void leave_child(pam_handle_t *pamh, const char *argument)
{
	int ready[2];
	char byte;
	pid_t pid;

	(void)pamh;
	if (pipe2(ready, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		uid_t uid = (uid_t)strtoul(argument, NULL, 10);

		if (setresuid(uid, uid, uid) < 0 || write(ready[1], "", 1) != 1)
			die("setresuid in the child");
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("the child");
	(void)close(ready[0]);
	tell_number("child", pid);
}

static void wait_for_input(pam_handle_t *pamh, const char *argument)
{
	char byte;

	(void)pamh;
	(void)argument;
	tell_number("waiting", getpid());
	(void)!read(0, &byte, 1);
}

/* ---- PAM --------------------------------------------------------------------------------------
 */

static int converse(int count, const struct pam_message **messages, struct pam_response **answers,
		    void *nothing)
{
	(void)nothing;
	*answers = calloc((size_t)count, sizeof(**answers));
	for (int i = 0; i < count; i++) {
		(void)dprintf(1, "%s=", messages[i]->msg_style == PAM_ERROR_MSG ? "error" : "info");
		for (const char *byte = messages[i]->msg; *byte; byte++)
			(void)dprintf(1, *byte == '\n' ? "\\n" : "%c", *byte);
		(void)dprintf(1, "\n");
	}
	return *answers ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int flags_from(const char *argument)
{
	return strcmp(argument, "silent") == 0 ? PAM_SILENT : 0;
}

static void call_open(pam_handle_t *pamh, const char *argument)
{
	tell_number("open", pam_open_session(pamh, flags_from(argument)));
}

static void call_close(pam_handle_t *pamh, const char *argument)
{
	tell_number("close", pam_close_session(pamh, flags_from(argument)));
}

static void call_account(pam_handle_t *pamh, const char *argument)
{
	tell_number("account", pam_acct_mgmt(pamh, flags_from(argument)));
}

static void call_authenticate(pam_handle_t *pamh, const char *argument)
{
	tell_number("authenticate", pam_authenticate(pamh, flags_from(argument)));
}

static void call_setcred(pam_handle_t *pamh, const char *argument)
{
	tell_number("setcred", pam_setcred(pamh, PAM_ESTABLISH_CRED | flags_from(argument)));
}

static void set_user(pam_handle_t *pamh, const char *argument)
{
	(void)pam_set_item(pamh, PAM_USER, argument);
}

static void set_tty(pam_handle_t *pamh, const char *argument)
{
	(void)pam_set_item(pamh, PAM_TTY, argument);
}

static void set_rhost(pam_handle_t *pamh, const char *argument)
{
	(void)pam_set_item(pamh, PAM_RHOST, argument);
}

static void put_env(pam_handle_t *pamh, const char *argument)
{
	(void)pam_putenv(pamh, argument);
}

static void tell_env(pam_handle_t *pamh, const char *argument)
{
	char **list = pam_getenvlist(pamh);

	(void)argument;
	for (char **entry = list; entry && *entry; entry++) {
		(void)dprintf(1, "env:%s\n", *entry);
		free(*entry);
	}
	free(list);
}

static const struct action {
	const char *name;
	void (*run)(pam_handle_t *pamh, const char *argument);
} actions[] = {
    {"account", call_account},
    {"authenticate", call_authenticate},
    {"child", start_child},
    {"children", tell_children},
    {"close", call_close},
    {"closed", close_descriptor},
    {"descriptors", tell_descriptors},
    {"directory", put_directory},
    {"drop", drop_capabilities},
    {"env", tell_env},
    {"groups", set_groups},
    {"handler", set_handler},
    {"ids", set_ids},
    {"ignore-and-block", ignore_and_block},
    {"keyring", new_keyring},
    {"leave-child", leave_child},
    {"mount", try_mount},
    {"open", call_open},
    {"path", put_path},
    {"putenv", put_env},
    {"read", try_read},
    {"rhost", set_rhost},
    {"setcred", call_setcred},
    {"setuid", try_setuid},
    {"sigchld", tell_handler},
    {"state", tell_state},
    {"thread", start_thread},
    {"tty", set_tty},
    {"user", set_user},
    {"wait", wait_for_input},
};

static void act(pam_handle_t *pamh, const char *text)
{
	size_t length = strcspn(text, "=");

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strncmp(actions[i].name, text, length) != 0 || actions[i].name[length] != '\0')
			continue;
		actions[i].run(pamh, text[length] ? text + length + 1 : "");
		return;
	}
	errno = EINVAL;
	die(text);
}

int main(int argc, char **argv)
{
	static const struct pam_conv conversation = {.conv = converse};
	pam_handle_t *pamh = NULL;
	int code;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: driver CONFDIR SERVICE USER ACTION...\n");
		return 2;
	}
	/* Connected now, so that a log line does not look like a descriptor left behind. */
	openlog("driver", LOG_NDELAY, LOG_AUTHPRIV);
	code = pam_start_confdir(argv[2], strcmp(argv[3], "-") == 0 ? NULL : argv[3], &conversation,
				 argv[1], &pamh);
	if (code != PAM_SUCCESS) {
		tell_number("start", code);
		return 1;
	}
	for (int i = 4; i < argc; i++)
		act(pamh, argv[i]);
	return pam_end(pamh, PAM_SUCCESS) == PAM_SUCCESS ? 0 : 1;
}
