/* helper/session/times.c - refuse who comes outside of their hours or has used up their day. */
#include "helper/session/times.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "helper/init/budget.h"
#include "helper/session/tether.h"

#define FAR_SECONDS (6 * 86400)

/* "Mon 08:00", with the date when another Monday comes first. */
static void when_text(time_t now, time_t when, char out[40])
{
	struct tm parts;

	out[0] = '\0';
	if (localtime_r(&when, &parts))
		(void)strftime(out, 40, when - now > FAR_SECONDS ? "%a %e %b %H:%M" : "%a %H:%M",
			       &parts);
}

static void deny(struct session_request *request)
{
	request->reply.action = WIRE_DENY;
}

static void check_hours(struct session_request *request, time_t now)
{
	const struct policy *policy = request->selection.policy;
	struct wire_reply *reply = &request->reply;
	char opens[40];

	if (hours_open(&policy->time.hours, now))
		return;
	when_text(now, hours_next_change(&policy->time.hours, now), opens);
	(void)snprintf(reply->user_text, sizeof(reply->user_text),
		       "carrel: logins are closed at this hour (open: %.1000s); opens %s.",
		       policy->hours_text, opens);
	(void)snprintf(reply->log_text, sizeof(reply->log_text),
		       "outside of the allowed hours of policy '%s' (%.1000s), opens %s",
		       policy->name, policy->hours_text, opens);
	deny(request);
}

static bool check_budget(struct session_request *request, time_t now, struct failure *why)
{
	const struct policy *policy = request->selection.policy;
	uint64_t limit = policy->time.cpu_day_seconds;
	struct wire_reply *reply = &request->reply;
	char opens[40], text[48];
	struct registry registry;
	uint64_t used;

	if (limit == TIME_UNSET || limit == TIME_NEVER)
		return true;
	if (!registry_open(request->config->state_dir, &registry, why))
		return false;
	used = tether_used_today(&registry, request->name, now);
	registry_close(&registry);
	if (used / 1000000 < limit)
		return true;
	when_text(now, budget_renewal(now), opens);
	policy_duration_format(limit, text);
	(void)snprintf(reply->user_text, sizeof(reply->user_text),
		       "carrel: your processor time for today (%s) is used up; opens %s.", text,
		       opens);
	(void)snprintf(reply->log_text, sizeof(reply->log_text),
		       "container '%s' has used up the day's processor time of policy '%s' (%s), "
		       "opens %s",
		       request->name, policy->name, text, opens);
	deny(request);
	return true;
}

bool session_times(struct session_request *request, struct failure *why)
{
	time_t now = time(NULL);

	if (request->reply.action == WIRE_CONTAIN)
		check_hours(request, now);
	return request->reply.action != WIRE_CONTAIN || check_budget(request, now, why);
}

void session_notice(struct session_request *request, const struct stored_record *before)
{
	uint64_t expire = request->selection.policy->time.expire_seconds;
	uint64_t now = (uint64_t)time(NULL);
	uint64_t unused = before->version && now > before->last_used_at && before->last_used_at
			      ? now - before->last_used_at
			      : 0;
	char limit[48], lasted[48];

	if (expire == TIME_UNSET || expire == TIME_NEVER ||
	    (before->version && unused <= expire / 2))
		return;
	policy_duration_format(expire, limit);
	policy_duration_format(unused < 86400 ? unused : unused - unused % 86400, lasted);
	(void)snprintf(request->notice, sizeof(request->notice),
		       "Your files here are removed after %s without a login%s%s.", limit,
		       before->version ? "; the last was before " : "",
		       before->version ? lasted : "");
}
