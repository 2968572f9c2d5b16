/* tests/sanitizers/planted_helper.c - a mistake in the helper, confined, about to build. */
#include "helper/session/session.h"
#include "tests/sanitizers/planted.h"

bool __real_session_admit(struct session_request *request, struct failure *why);
bool __wrap_session_admit(struct session_request *request, struct failure *why);

bool __wrap_session_admit(struct session_request *request, struct failure *why)
{
	return __real_session_admit(freed_copy(request, sizeof(*request)), why);
}
