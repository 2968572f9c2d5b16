/* tests/counters/session.c - open and close a session, and tell a tracer when. */

/*
 *	session SERVICE USER
 *
 * Sends itself SIGUSR1 before pam_open_session and after it, for steps.c, which takes it away.
 */
#include <signal.h>

#include <security/pam_appl.h>

static int no_answer(int count, const struct pam_message **messages, struct pam_response **answers,
		     void *nothing)
{
	(void)count;
	(void)messages;
	(void)answers;
	(void)nothing;
	return PAM_CONV_ERR;
}

int main(int argc, char **argv)
{
	static const struct pam_conv conversation = {.conv = no_answer};
	pam_handle_t *pamh = NULL;
	int code;

	if (argc != 3 || pam_start(argv[1], argv[2], &conversation, &pamh) != PAM_SUCCESS ||
	    pam_acct_mgmt(pamh, 0) != PAM_SUCCESS)
		return 2;
	(void)raise(SIGUSR1);
	code = pam_open_session(pamh, 0);
	(void)raise(SIGUSR1);
	if (code != PAM_SUCCESS)
		return 1;
	(void)pam_close_session(pamh, 0);
	return pam_end(pamh, PAM_SUCCESS) == PAM_SUCCESS ? 0 : 1;
}
