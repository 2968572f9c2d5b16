/* pam_module/module.c - the entry points that PAM calls; the only place with PAM's codes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_modules.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "account/account.h"
#include "base/cleanup.h"
#include "join/join.h"
#include "pam_module/ask.h"
#include "pam_module/inside.h"
#include "pam_module/text.h"

#define EXPORT __attribute__((visibility("default")))

#define TIMEOUT_DEFAULT 60
#define TIMEOUT_MAX     600

static const char no_answer[] = "carrel: logins are refused because the container service does not "
				"answer; please tell the administrator.";
static const char no_join[] = "carrel: this login could not be put into its container; please tell "
			      "the administrator.";
static const char no_reason[] = "carrel: this login is refused.";

struct options {
	bool debug;
	unsigned timeout_seconds;
};

/* One call of an entry point: what it was given, and the code that means no. */
struct call {
	pam_handle_t *pamh;
	bool silent;
	struct options options;
	int refusal;
	struct wire_request request;
	char shown_user[WIRE_NAME_MAX + 1]; /* the user name, fit for the log */
};

static bool parse_timeout(const char *text, unsigned *seconds)
{
	unsigned value = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > TIMEOUT_MAX)
			return false;
	}
	*seconds = value;
	return value > 0;
}

/* A mistake in an option must not lock anybody out: it is logged and the default stands. */
static struct options parse_options(pam_handle_t *pamh, int argc, const char **argv)
{
	static const char timeout[] = "timeout=";
	struct options options = {.timeout_seconds = TIMEOUT_DEFAULT};

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "debug") == 0)
			options.debug = true;
		else if (strncmp(argv[i], timeout, strlen(timeout)) != 0)
			pam_syslog(pamh, LOG_ERR, "unknown option '%s' is ignored", argv[i]);
		else if (!parse_timeout(argv[i] + strlen(timeout), &options.timeout_seconds)) {
			options.timeout_seconds = TIMEOUT_DEFAULT;
			pam_syslog(pamh, LOG_ERR, "'%s' is ignored: not 1 to %d seconds", argv[i],
				   TIMEOUT_MAX);
		}
	}
	return options;
}

static int refuse(const struct call *call, const char *sentence)
{
	if (!call->silent)
		(void)pam_error(call->pamh, "%s", sentence);
	return call->refusal;
}

/*
 * Carrel itself is in trouble. Users are refused, because outside of their container they are not
 * meant to be; root gets in, because somebody has to repair it.
 */
static int refuse_but_root(const struct call *call, const char *sentence, const struct failure *why)
{
	const struct passwd *account = pam_modutil_getpwnam(call->pamh, call->request.user);

	if (account && account->pw_uid == 0) {
		pam_syslog(call->pamh, LOG_CRIT, "root is let in without Carrel because %s",
			   why->text);
		return PAM_SUCCESS;
	}
	pam_syslog(call->pamh, LOG_ERR, "refused: %s", why->text);
	return refuse(call, sentence);
}

static bool copy_item(const struct call *call, int item, const char *name,
		      char out[WIRE_NAME_MAX + 1], struct failure *why)
{
	const void *value = NULL;
	size_t length;

	if (pam_get_item(call->pamh, item, &value) != PAM_SUCCESS || !value)
		value = "";
	length = strlen(value);
	if (length > WIRE_NAME_MAX)
		return fail(why, FAILURE_REQUEST, 0, "%s longer than %d bytes", name,
			    WIRE_NAME_MAX);
	memcpy(out, value, length + 1);
	return true;
}

static bool copy_circumstances(struct call *call, struct failure *why)
{
	struct wire_request *request = &call->request;

	return copy_item(call, PAM_SERVICE, "service name", request->service, why) &&
	       copy_item(call, PAM_TTY, "terminal name", request->tty, why) &&
	       copy_item(call, PAM_RHOST, "name of the remote host", request->rhost, why);
}

/*
 * "NAME=value" sets, "NAME" removes. Done before the join, so that running out of memory still
 * finds the process on the host.
 */
static bool set_environment(const struct call *call, const struct wire_reply *reply,
			    struct failure *why)
{
	for (size_t i = 0; i < reply->env_count; i++) {
		const char *entry = reply->env[i];

		/* PAM logs an error for removing what is not there. */
		if (!strchr(entry, '=') && !pam_getenv(call->pamh, entry))
			continue;
		if (pam_putenv(call->pamh, entry) != PAM_SUCCESS)
			return fail(why, FAILURE_SYSTEM, 0, "cannot put '%s' into the environment",
				    entry);
	}
	return true;
}

/*
 * The line in the log comes before the join: syslog(3) is then connected to the host's log and
 * stays so, and the reason for a join that fails half way still gets there.
 */
static int contain(const struct call *call, struct answer *answer)
{
	const struct wire_reply *reply = &answer->reply;
	const struct join_plan plan = {
	    .init = answer->fds[WIRE_FD_INIT],
	    .seccomp = answer->fds[WIRE_FD_SECCOMP],
	    .namespaces = reply->namespaces,
	    .allow_root = reply->allow_root,
	    .bounding_set = reply->bounding_set,
	    .umask = reply->umask == WIRE_UMASK_UNSET ? JOIN_UMASK_UNSET : reply->umask,
	};
	struct failure why;

	pam_syslog(call->pamh, LOG_INFO, "user %s enters container %s", call->shown_user,
		   reply->container);
	if (!set_environment(call, reply, &why) || !join_container(&plan, &why)) {
		pam_syslog(call->pamh, LOG_ERR, "refused: %s", why.text);
		return refuse(call, no_join);
	}
	return PAM_SUCCESS;
}

static int obey(const struct call *call, struct answer *answer)
{
	struct wire_reply *reply = &answer->reply;
	int code = PAM_SUCCESS;

	text_clean_for_user(reply->user_text);
	text_clean_for_log(reply->log_text);
	if (reply->action == WIRE_DENY) {
		pam_syslog(call->pamh, LOG_NOTICE, "user %s is refused: %s", call->shown_user,
			   reply->log_text[0] ? reply->log_text : reply->user_text);
		return refuse(call, reply->user_text[0] ? reply->user_text : no_reason);
	}
	if (reply->log_text[0])
		pam_syslog(call->pamh, LOG_INFO, "%s", reply->log_text);
	else if (call->options.debug && reply->action == WIRE_HOST)
		pam_syslog(call->pamh, LOG_DEBUG, "user %s stays on the host", call->shown_user);
	/* Asking about the account is without side effects, whatever the answer. */
	if (reply->action == WIRE_CONTAIN && call->request.verb == WIRE_OPEN_SESSION)
		code = contain(call, answer);
	if (code == PAM_SUCCESS && reply->user_text[0] && !call->silent)
		(void)pam_info(call->pamh, "%s", reply->user_text);
	return code;
}

/* As an error, so that it goes to the terminal and not into what `su -c` hands on. */
static void show_waiting(void *data, char *text)
{
	const struct call *call = data;

	text_clean_for_user(text);
	if (!call->silent)
		(void)pam_error(call->pamh, "%s", text);
}

/* What else fits into a request, generously: a user in more groups than that is looked up again. */
#define ACCOUNT_BYTES_MAX (WIRE_REQUEST_MAX - 8 * (WIRE_NAME_MAX + 1))

/*
 * Login services have just asked the name services for the user, so that they answer at once here;
 * the helper would have to load their libraries first. It asks them itself, and says what is wrong,
 * when they gave no answer here. Never for root, who must not wait for a directory that is down.
 */
static void *know_user(const struct wire_request *request, size_t *length)
{
	struct failure ignored;
	struct account *account;
	void *packed;

	*length = 0;
	if (strcmp(request->user, "root") == 0)
		return NULL;
	account = account_lookup(request->user, &ignored);
	packed = account ? account_pack(account, length) : NULL;
	account_free(account);
	if (*length > ACCOUNT_BYTES_MAX) {
		free(take_ptr(packed));
		*length = 0;
	}
	return packed;
}

/* The helper gets ready while the name services are asked: neither has to wait for the other. */
static bool ask(struct call *call, struct answer *answer, struct failure *why)
{
	struct wire_request *request = &call->request;
	_cleanup_free_ void *account = NULL;
	bool answered;

	if (!ask_start(answer, why))
		return false;
	account = know_user(request, &request->account_length);
	request->account = account;
	answered =
	    ask_helper(request, call->options.timeout_seconds, show_waiting, call, answer, why);
	request->account = NULL;
	request->account_length = 0;
	return answered;
}

static int ask_and_obey(struct call *call)
{
	struct answer answer;
	struct failure why = {0};
	int code;

	if (!copy_item(call, PAM_USER, "user name", call->request.user, &why)) {
		pam_syslog(call->pamh, LOG_ERR, "refused: %s", why.text);
		return refuse(call, no_reason);
	}
	if (call->request.user[0] == '\0') {
		pam_syslog(call->pamh, LOG_ERR, "refused: the service gave no user name");
		return call->request.verb == WIRE_OPEN_SESSION ? PAM_SESSION_ERR : PAM_USER_UNKNOWN;
	}
	memcpy(call->shown_user, call->request.user, sizeof(call->shown_user));
	text_clean_for_log(call->shown_user);
	if (caller_kind() == CALLER_ODD) {
		(void)fail(&why, FAILURE_REQUEST, 0,
			   "the service calls with its privileges put aside or in part, and "
			   "cannot be moved like that");
		return refuse_but_root(call, no_join, &why);
	}
	if (!copy_circumstances(call, &why))
		return refuse_but_root(call, no_reason, &why);
	if (!ask(call, &answer, &why))
		return refuse_but_root(call, no_answer, &why);
	code = obey(call, &answer);
	answer_close(&answer);
	return code;
}

/* Before anything else: is this a process that Carrel has no business with? */
static int handle(struct call *call, int argc, const char **argv)
{
	call->options = parse_options(call->pamh, argc, argv);
	if (inside_container()) {
		if (call->options.debug)
			pam_syslog(call->pamh, LOG_DEBUG, "inside a container already");
		return PAM_SUCCESS;
	}
	if (caller_kind() == CALLER_USER) {
		pam_syslog(call->pamh, LOG_INFO,
			   "left alone: the service runs as a user and can become nobody else");
		return PAM_IGNORE;
	}
	return ask_and_obey(call);
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct call call = {.pamh = pamh,
			    .silent = flags & PAM_SILENT,
			    .refusal = PAM_SESSION_ERR,
			    .request = {.verb = WIRE_OPEN_SESSION}};

	return handle(&call, argc, argv);
}

/* By now the process is inside, and its end is what init waits for: there is nothing to do. */
EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct call call = {.pamh = pamh,
			    .silent = flags & PAM_SILENT,
			    .refusal = PAM_PERM_DENIED,
			    .request = {.verb = WIRE_CHECK_ACCOUNT}};

	return handle(&call, argc, argv);
}

/*
 * Carrel knows no secrets: it neither lets in nor keeps out here. Exported all the same, because
 * an auth line with a module that lacks the symbol would refuse every login.
 */
EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
