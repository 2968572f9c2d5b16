/* helper/admin/doctor_mail.c - does a mail server of the host run what contained users wrote? */
#include <unistd.h>

#include "helper/admin/doctor.h"

/* Those that run the programs which a user's ~/.forward or filter names. */
static const struct {
	const char *path, *name;
} deliverers[] = {
    {"/usr/sbin/exim4", "exim4"},
    {"/usr/sbin/exim", "exim"},
    {"/usr/lib/postfix/sbin/local", "postfix"},
    {"/usr/libexec/postfix/local", "postfix"},
    {"/usr/sbin/sendmail.sendmail", "sendmail"},
    {"/usr/lib/sm.bin/sendmail", "sendmail"},
    {"/usr/bin/procmail", "procmail"},
    {"/usr/bin/maildrop", "maildrop"},
};

/* The first policy whose users write to the home that the host's mail server reads; or NULL. */
static const struct policy *policy_with_host_home(const struct config *config)
{
	for (size_t i = 0; config && i < config->policy_count; i++)
		if (config->policies[i].action == POLICY_CONTAIN &&
		    config->policies[i].home == HOME_BIND)
			return &config->policies[i];
	return NULL;
}

void doctor_mail(const struct config *config, struct report *report)
{
	const struct policy *policy = policy_with_host_home(config);

	for (size_t i = 0; policy && i < ARRAY_LENGTH(deliverers); i++)
		if (access(deliverers[i].path, X_OK) == 0)
			report_add(
			    report, GRADE_WARNING, "mail",
			    "%s runs the programs in ~/.forward on the host, and the policy "
			    "'%s' has home = bind: let it deliver without pipes, or use home = "
			    "private",
			    deliverers[i].name, policy->name);
}
