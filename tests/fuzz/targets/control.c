/* targets/control.c - requests on the control socket of a container, as PID 1 receives them. */
/* Sources: helper/init/control.c policy/hours.c base/failure.c */
#include "helper/init/control.h"
#include "helper/init/channel.h"
#include "tests/fuzz/targets/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t fd_count = size ? data[size - 1] % (CHANNEL_MAX_FDS + 1) : 0;
	static struct control_request request;

	memset(&request, 0, sizeof(request));
	memcpy(&request, data, size < sizeof(request) ? size : sizeof(request));
	if (control_request_is_sound(&request, sizeof(request) + (size > sizeof(request)),
				     fd_count)) {
		MUST(request.version == CONTROL_VERSION);
		if (request.verb == CONTROL_SESSION)
			MUST(fd_count >= 4 && request.plan_fds < fd_count);
		else if (request.verb == CONTROL_PREPARE)
			MUST(fd_count >= 1 && request.plan_fds == fd_count - 1);
		else
			MUST(fd_count == 0);
		MUST(strlen(request.user) < sizeof(request.user));
		MUST(strlen(request.rhost) < sizeof(request.rhost));
		MUST(strlen(request.text) < sizeof(request.text));
		MUST(request.rules.hours.count <= HOURS_SPANS_MAX);
		MUST(hours_next_change(&request.rules.hours, 1700000000) >= 0);
	}
	return 0;
}
