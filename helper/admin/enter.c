/* helper/admin/enter.c - `carrel enter` and `carrel exec`: the side that keeps the admin's
 * terminal. */
#include "helper/admin/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "helper/admin/commands.h"
#include "helper/admin/containers.h"
#include "helper/init/channel.h"

/* The ends that stay here of what replaces a terminal; -1 where nothing is replaced. */
struct ends {
	int ours[3], theirs[3];
};

static void close_ends(int ends[3])
{
	for (int fd = 0; fd < 3; fd++) {
		cleanup_close(&ends[fd]);
		ends[fd] = -1;
	}
}

/* Without a terminal of the container each descriptor that is one of ours is replaced by a pipe. */
static bool make_pipes(const struct entry *entry, struct ends *ends)
{
	for (int fd = 0; fd < 3; fd++) {
		int both[2];

		ends->ours[fd] = ends->theirs[fd] = -1;
		if (entry->use_terminal || !entry->is_terminal[fd])
			continue;
		if (pipe2(both, O_CLOEXEC) < 0)
			return false;
		ends->ours[fd] = both[fd == 0 ? 1 : 0];
		ends->theirs[fd] = both[fd == 0 ? 0 : 1];
		(void)fcntl(ends->ours[fd], F_SETFL, O_NONBLOCK);
	}
	return true;
}

static size_t plan_relays(const struct entry *entry, const struct ends *ends, int master,
			  struct relay relays[RELAYS_MAX])
{
	size_t count = 0;

	if (entry->use_terminal) {
		relays[count++] = (struct relay){.from = 0, .to = master, .to_container = true};
		relays[count++] = (struct relay){.from = master, .to = 1};
		return count;
	}
	for (int fd = 0; fd < 3; fd++) {
		if (ends->ours[fd] < 0)
			continue;
		if (fd == 0)
			relays[count++] = (struct relay){
			    .from = 0, .to = ends->ours[0], .close_to = true, .to_container = true};
		else
			relays[count++] = (struct relay){.from = ends->ours[fd], .to = fd};
	}
	return count;
}

/* Every key goes to the program inside as it is typed; ^C and ^Z too are for it to understand. */
static bool make_raw(struct termios *before)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, before) < 0)
		return false;
	raw = *before;
	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static int exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* From the moment that the program runs to its end. */
static int accompany(const struct entry *entry, struct ends *ends, int master, pid_t inner)
{
	struct relay relays[RELAYS_MAX];
	size_t count = plan_relays(entry, ends, master, relays);
	struct termios before;
	bool is_raw = entry->use_terminal && make_raw(&before);
	int status = relay_until_end(relays, count, master, inner);

	for (size_t i = 0; i < count; i++)
		if (relays[i].close_to && relays[i].to < 0)
			ends->ours[0] = -1; /* the relay has closed it */
	if (is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	return exit_status(status);
}

static int receive_and_accompany(const struct entry *entry, struct ends *ends, int channel,
				 pid_t inner)
{
	struct entry_message message;
	_cleanup_close_ int master = -1;
	size_t fds = 1;
	long length = channel_receive(channel, &message, sizeof(message), &master, &fds);

	if (fds == 0)
		master = -1;
	if (length != (long)sizeof(message) || !message.ready ||
	    (entry->use_terminal && master < 0)) {
		(void)kill(inner, SIGKILL);
		(void)waitpid(inner, NULL, 0);
		message.text[sizeof(message.text) - 1] = '\0';
		return complain("%s: %s", entry->container,
				length == (long)sizeof(message)
				    ? message.text
				    : "the container ended, or had no memory for one process more");
	}
	return accompany(entry, ends, master, inner);
}

static void block_signals(void)
{
	static const int passed_on[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGCHLD};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LENGTH(passed_on); i++)
		(void)sigaddset(&set, passed_on[i]);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int fork_and_accompany(const struct entry *entry, struct ends *ends)
{
	pid_t outer = getpid(), inner;
	int channel[2], status;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
		return complain("cannot make a socket: %m");
	block_signals();
	(void)fflush(NULL);
	inner = fork();
	if (inner == 0) {
		(void)close(channel[0]);
		close_ends(ends->ours);
		entry_inside(entry, channel[1], ends->theirs, outer);
	}
	(void)close(channel[1]);
	close_ends(ends->theirs);
	status = inner < 0 ? complain("cannot fork: %m")
			   : receive_and_accompany(entry, ends, channel[0], inner);
	(void)close(channel[0]);
	return status;
}

int entry_run(struct entry *entry)
{
	struct ends ends = {{-1, -1, -1}, {-1, -1, -1}};
	int status;

	for (int fd = 0; fd < 3; fd++)
		entry->is_terminal[fd] = isatty(fd) == 1;
	entry->use_terminal = entry->is_terminal[0] && entry->is_terminal[1];
	if (make_pipes(entry, &ends))
		status = fork_and_accompany(entry, &ends);
	else
		status = complain("cannot make a pipe: %m");
	close_ends(ends.ours);
	close_ends(ends.theirs);
	return status;
}

/*
 * Is the user the same inside as on the host? Any other id that the container has would be a
 * stranger's who happens to have that number.
 */
static bool is_known_inside(const struct running_record *running, const struct account *account)
{
	char path[48], line[128];
	_cleanup_fclose_ FILE *map = NULL;
	bool found = account->uid == 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)running->pid);
	map = fopen(path, "re");
	while (map && !found && fgets(line, sizeof(line), map)) {
		unsigned inside, outside, count;

		found = sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 &&
			inside == outside && account->uid >= inside &&
			account->uid - inside < count;
	}
	return found;
}

static int enter_as(struct entry *entry, const struct container_info *info,
		    const struct account *account, const char *deed)
{
	if (info->init < 0)
		return complain("%s: is not running; it starts when its user logs in",
				entry->container);
	if (!is_known_inside(&info->running, account))
		return complain("%s: %s is not one of its users; only they and root can be inside",
				entry->container, account->name);
	entry->account = account;
	admin_event(entry->container, account->name, "%s", deed);
	return entry_run(entry);
}

int entry_start(const struct context *context, struct entry *entry, const char *user,
		const char *deed)
{
	const char *name = entry->container;
	struct container_info info;
	struct account *account;
	struct failure why;
	int status;

	if (!container_info_load(context, name, &info, &why))
		return complain("%s: %s", name, why.text);
	entry->limits = limits_of_policy(context->config, container_policy(&info));
	account = account_lookup(user ? user : container_user(&info), &why);
	status =
	    account ? enter_as(entry, &info, account, deed) : complain("%s: %s", name, why.text);
	account_free(account);
	container_info_close(&info);
	return status;
}

static int run(const struct command *command, int argc, char **argv, bool has_command)
{
	const char *user = NULL;
	const struct option_spec specs[] = {{.name = "user", .letter = 'u', .value = &user}};
	struct entry entry = {0};
	struct context context;
	struct operands operands;
	struct failure why;
	char deed[256] = "enter";
	int status = options_parse(command, argc, argv, specs, ARRAY_LENGTH(specs),
				   has_command ? 2 : 1, has_command ? OPERANDS_ANY : 1, &operands);

	if (status != STATUS_GO_ON)
		return status;
	if (!context_open(&context, &why))
		return complain("%s", why.text);
	entry.container = operands.items[0];
	if (has_command) {
		entry.command = operands.items + 1;
		(void)snprintf(deed, sizeof(deed), "exec %s", entry.command[0]);
	}
	status = entry_start(&context, &entry, user, deed);
	context_close(&context);
	return status;
}

int run_enter(const struct command *command, int argc, char **argv)
{
	return run(command, argc, argv, false);
}

int run_exec(const struct command *command, int argc, char **argv)
{
	return run(command, argc, argv, true);
}
