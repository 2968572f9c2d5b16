/* tests/bench/stopwatch.c - how long the module takes, without the login around it. */

/*
 *	stopwatch SERVICE USER
 *
 * Prints the microseconds of one pam_open_session, from call to joined, the helper included. The
 * module is loaded, and the user and their groups are looked up before the clock starts, as in
 *every login: what starts sessions has come through account and has called initgroups(3).
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <time.h>

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
	struct timespec start, end;
	pam_handle_t *pamh = NULL;
	const struct passwd *user;
	int code;

	if (argc != 3 || pam_start(argv[1], argv[2], &conversation, &pamh) != PAM_SUCCESS ||
	    pam_acct_mgmt(pamh, 0) != PAM_SUCCESS)
		return 2;
	user = getpwnam(argv[2]);
	if (!user || initgroups(user->pw_name, user->pw_gid) < 0)
		return 2;
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	code = pam_open_session(pamh, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	if (code != PAM_SUCCESS)
		return 1;
	(void)printf("%.1f\n", (double)(end.tv_sec - start.tv_sec) * 1e6 +
				   (double)(end.tv_nsec - start.tv_nsec) / 1e3);
	(void)pam_close_session(pamh, 0);
	return pam_end(pamh, PAM_SUCCESS) == PAM_SUCCESS ? 0 : 1;
}
