/* join/own_code.c - no code of the container runs in the login service. */
#include <errno.h>
#include <locale.h>
#include <nss.h>
#include <string.h>

#include "join/steps.h"

/* All that nss(5) knows: the one that is forgotten is the one that is used. */
static const char *const databases[] = {
    "aliases",  "ethers", "group",     "gshadow",   "hosts", "initgroups", "netgroup",
    "networks", "passwd", "protocols", "publickey", "rpc",   "services",   "shadow",
};

/*
 * The C library loads code when it is first needed, by paths which then lead into the container:
 * the modules that nsswitch.conf names (the CVE-2019-14271 of docker cp) and, for messages in
 * another language, converters of character sets. In sshd that code would sit beside the host's
 * keys. What is built into the C library since glibc 2.34 suffices: the container's own passwd and
 * group have the user's entries.
 *
 * Called on the host, because it makes the C library read nsswitch.conf for the last time.
 */
bool join_keep_to_own_code(const struct join_ready *ready, struct failure *why)
{
	(void)ready;
	for (size_t i = 0; i < ARRAY_LENGTH(databases); i++) {
		const char *modules = strcmp(databases[i], "hosts") == 0 ? "files dns" : "files";

		if (__nss_configure_lookup(databases[i], modules) != 0)
			return fail(why, FAILURE_SYSTEM, errno,
				    "cannot keep lookups in '%s' from loading libraries of the "
				    "container",
				    databases[i]);
	}
	if (!setlocale(LC_ALL, "C"))
		return fail(why, FAILURE_SYSTEM, 0,
			    "cannot keep messages from loading libraries of the container");
	return true;
}
