/* targets/template.c - names of containers and hosts, made from templates and names of users. */
/* Sources: policy/template.c base/failure.c */
#include "policy/template.h"
#include "policy/policy.h"
#include "tests/fuzz/targets/fuzz.h"

static void check(const char *template, const char *user, const char *group, bool is_hostname)
{
	struct failure why = {0};
	char out[65];

	if (!template_expand(template, user, group, "policy", is_hostname, out, &why)) {
		MUST(why.kind == FAILURE_POLICY && why.text[0]);
		return;
	}
	MUST(strlen(out) <= (is_hostname ? 63 : 64) && out[0]);
	if (is_hostname) {
		MUST(out[strspn(out, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-")] == '\0');
		MUST(out[0] != '-' && out[strlen(out) - 1] != '-');
	} else {
		MUST(name_is_valid(out) && out[strlen(out) - 1] != '.');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *template = fuzz_part(&data, &size), *user = fuzz_part(&data, &size);
	char *group = fuzz_part(&data, &size);
	struct failure why;

	for (int is_hostname = 0; is_hostname < 2; is_hostname++) {
		check(template, user, group, is_hostname);
		/* What was judged good at the start is good for everyone who has a name. */
		if (template_check(template, is_hostname, &why) && *user && *group) {
			char out[65];

			MUST(template_expand(template, user, group, "p", is_hostname, out, &why));
		}
	}
	(void)template_uses(template, 'u');
	free(template);
	free(user);
	free(group);
	return 0;
}
