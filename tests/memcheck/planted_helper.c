/* tests/memcheck/planted_helper.c - what nobody has set and what is lost, in the confined helper.
 */
#include <stdlib.h>
#include <valgrind/memcheck.h>

#include "helper/session/session.h"

/* Put between session_admit and its caller by the linker (ld(1), --wrap). */
bool __real_session_admit(struct session_request *request, struct failure *why);
bool __wrap_session_admit(struct session_request *request, struct failure *why);

bool __wrap_session_admit(struct session_request *request, struct failure *why)
{
	char *volatile lost = malloc(77);

	if (!lost)
		abort();
	lost = NULL;
	(void)VALGRIND_MAKE_MEM_UNDEFINED(request->name, 1);
	return __real_session_admit(request, why);
}
