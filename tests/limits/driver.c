/* tests/limits/driver.c - call the functions of helper/limits/limits.h from a command line. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper/limits/device.h"
#include "helper/limits/limits.h"

static const char usage_text[] =
    "usage: driver PARENT layout\n"
    "       driver PARENT check|check-pool LIMIT=NUMBER...\n"
    "       driver PARENT create NAME [POOL] LIMIT=NUMBER... pool.LIMIT=NUMBER... [disk=PATH]\n"
    "       driver PARENT run|attach-and-back NAME [POOL] -- PROGRAM [ARGUMENT...]\n"
    "       driver PARENT attach NAME [POOL] -- PID\n"
    "       driver PARENT kill|remove|usage|time NAME [POOL]\n"
    "       driver PARENT disk PATH\n"
    "       driver PARENT rlimits LIMIT=NUMBER... -- PROGRAM [ARGUMENT...]\n"
    "PARENT \"-\" leaves the choice to the library. Exit status 3 and \"KIND: why\": it failed.\n";

struct request {
	struct cgroup_layout layout;
	const char *name, *pool;
	struct limits limits, pool_limits;
	int disk;
	char **rest; /* after "--" */
};

static void set_limit(struct limits *limits, const char *name, const char *value)
{
	size_t length = (size_t)(value - name);

	for (int i = 0; i < LIMIT_COUNT; i++)
		if (strlen(policy_limit_name(i)) == length &&
		    strncmp(policy_limit_name(i), name, length) == 0) {
			limits->value[i] = strcmp(value, "=unlimited") == 0
					       ? LIMIT_UNLIMITED
					       : strtoull(value + 1, NULL, 10);
			return;
		}
	(void)fprintf(stderr, "driver: no such limit: %s\n", name);
	exit(2);
}

static void read_arguments(char **arguments, struct request *request)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		request->limits.value[i] = request->pool_limits.value[i] = LIMIT_UNSET;
	for (; *arguments && strcmp(*arguments, "--") != 0; arguments++) {
		const char *value = strchr(*arguments, '=');

		if (!value && !request->name)
			request->name = *arguments;
		else if (!value)
			request->pool = *arguments;
		else if (strncmp(*arguments, "disk=", 5) == 0)
			request->disk = open(value + 1, O_PATH | O_CLOEXEC);
		else if (strncmp(*arguments, "pool.", 5) == 0)
			set_limit(&request->pool_limits, *arguments + 5, value);
		else
			set_limit(&request->limits, *arguments, value);
	}
	if (*arguments)
		request->rest = arguments + 1;
}

static bool do_layout(struct request *request, struct failure *why)
{
	static const char *const names[] = {"memory", "cpu", "pids", "io", "freezer", "cpuacct"};

	(void)why;
	printf("parent %s\n", request->layout.parent);
	for (size_t i = 0; i < request->layout.root_count; i++) {
		printf("%s v%d", request->layout.roots[i].name,
		       request->layout.roots[i].v2 ? 2 : 1);
		for (int bit = 0; bit < CGROUP_CONTROLLER_COUNT; bit++)
			if (request->layout.roots[i].controllers & 1U << bit)
				printf(" %s", names[bit]);
		putchar('\n');
	}
	return true;
}

static bool do_check(struct request *request, struct failure *why)
{
	const char *caveat = limits_caveat(&request->layout, &request->limits);

	if (caveat)
		printf("caveat: %s\n", caveat);
	return limits_check(&request->layout, &request->limits, why);
}

static bool do_check_pool(struct request *request, struct failure *why)
{
	return limits_check_pool(&request->layout, &request->limits, why);
}

static bool create(struct request *request, struct cgroup *cgroup, struct failure *why)
{
	return cgroup_create(&request->layout, request->name, &request->limits, request->pool,
			     request->pool ? &request->pool_limits : NULL, request->disk, cgroup,
			     why);
}

static bool do_create(struct request *request, struct failure *why)
{
	struct cgroup cgroup;

	if (!create(request, &cgroup, why))
		return false;
	cgroup_close(&cgroup);
	return true;
}

static bool open_cgroup(struct request *request, struct cgroup *cgroup, struct failure *why)
{
	return cgroup_open(&request->layout, request->name, request->pool, cgroup, why);
}

static bool run_rest(struct request *request, struct failure *why)
{
	(void)fflush(stdout);
	execvp(request->rest[0], request->rest);
	return fail(why, FAILURE_SYSTEM, errno, "cannot run %s", request->rest[0]);
}

static bool do_run(struct request *request, struct failure *why)
{
	struct cgroup cgroup;

	return open_cgroup(request, &cgroup, why) &&
	       cgroup_attach(&request->layout, &cgroup, getpid(), NULL, why) &&
	       run_rest(request, why);
}

static bool do_attach(struct request *request, struct failure *why)
{
	const pid_t pid = atoi(request->rest[0]);
	_cleanup_free_ char *before = cgroup_whereabouts(pid, why);
	struct cgroup cgroup;

	return before && open_cgroup(request, &cgroup, why) &&
	       cgroup_attach(&request->layout, &cgroup, pid, before, why);
}

static bool do_attach_and_back(struct request *request, struct failure *why)
{
	_cleanup_free_ char *before = cgroup_whereabouts(getpid(), why);
	_cleanup_free_ char *inside = NULL;
	struct cgroup cgroup;

	if (!before || !open_cgroup(request, &cgroup, why) ||
	    !cgroup_attach(&request->layout, &cgroup, getpid(), before, why))
		return false;
	inside = cgroup_whereabouts(getpid(), why);
	if (!inside || strcmp(before, inside) == 0)
		return fail(why, FAILURE_SYSTEM, 0, "the process did not move");
	cgroup_restore(getpid(), before);
	return run_rest(request, why);
}

static bool do_kill(struct request *request, struct failure *why)
{
	struct cgroup cgroup;

	return open_cgroup(request, &cgroup, why) && cgroup_kill(&request->layout, &cgroup, why);
}

static bool do_remove(struct request *request, struct failure *why)
{
	return cgroup_remove(&request->layout, request->name, request->pool, why);
}

static void print_number(const char *name, uint64_t value)
{
	if (value == UINT64_MAX)
		printf("%s unknown\n", name);
	else
		printf("%s %" PRIu64 "\n", name, value);
}

static bool do_usage(struct request *request, struct failure *why)
{
	struct cgroup_usage usage;
	struct cgroup cgroup;

	if (!open_cgroup(request, &cgroup, why))
		return false;
	cgroup_usage_read(&request->layout, &cgroup, &usage);
	print_number("memory_bytes", usage.memory_bytes);
	print_number("memory_peak_bytes", usage.memory_peak_bytes);
	print_number("swap_bytes", usage.swap_bytes);
	print_number("cpu_microseconds", usage.cpu_microseconds);
	print_number("pids", usage.pids);
	print_number("read_bytes", usage.read_bytes);
	print_number("written_bytes", usage.written_bytes);
	print_number("memory_kills", usage.memory_kills);
	print_number("pids_refusals", usage.pids_refusals);
	return true;
}

static double microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* What the login path pays: once to make the cgroups, then for each login to move into them. */
static bool do_time(struct request *request, struct failure *why)
{
	struct cgroup cgroup;
	struct cgroup_layout layout;
	double start = microseconds(), found, created, attached, restored;
	_cleanup_free_ char *before = cgroup_whereabouts(getpid(), why);

	if (!before || !cgroup_layout_find(request->layout.parent, -1, &layout, why))
		return false;
	found = microseconds();
	if (!create(request, &cgroup, why))
		return false;
	created = microseconds();
	if (!cgroup_attach(&layout, &cgroup, getpid(), before, why))
		return false;
	attached = microseconds();
	cgroup_restore(getpid(), before);
	restored = microseconds();
	cgroup_close(&cgroup);
	cgroup_layout_close(&layout);
	printf("find %.0f create %.0f attach %.0f restore %.0f us\n", found - start,
	       created - found, attached - created, restored - attached);
	return true;
}

static bool do_disk(struct request *request, struct failure *why)
{
	_cleanup_close_ int fd = open(request->name, O_PATH | O_CLOEXEC);
	struct limit_device device;

	if (!device_of_disk(fd, &device, why))
		return false;
	printf("%u:%u\n", device.major, device.minor);
	return true;
}

static bool do_rlimits(struct request *request, struct failure *why)
{
	return rlimits_apply(getpid(), &request->limits, why) && run_rest(request, why);
}

static const struct {
	const char *name;
	bool (*run)(struct request *request, struct failure *why);
	bool needs_name, needs_rest;
} commands[] = {
    {"layout", do_layout, false, false},
    {"check", do_check, false, false},
    {"check-pool", do_check_pool, false, false},
    {"create", do_create, true, false},
    {"run", do_run, true, true},
    {"attach", do_attach, true, true},
    {"attach-and-back", do_attach_and_back, true, true},
    {"kill", do_kill, true, false},
    {"remove", do_remove, true, false},
    {"usage", do_usage, true, false},
    {"time", do_time, true, false},
    {"disk", do_disk, true, false},
    {"rlimits", do_rlimits, false, true},
};

static bool perform(int argc, char **argv, struct request *request, struct failure *why)
{
	for (size_t i = 0; argc > 2 && i < ARRAY_LENGTH(commands); i++) {
		if (strcmp(argv[2], commands[i].name) != 0)
			continue;
		read_arguments(argv + 3, request);
		if ((commands[i].needs_name && !request->name) ||
		    (commands[i].needs_rest && !(request->rest && request->rest[0])))
			break;
		return cgroup_layout_find(strcmp(argv[1], "-") == 0 ? NULL : argv[1], -1,
					  &request->layout, why) &&
		       commands[i].run(request, why);
	}
	(void)fputs(usage_text, stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct request request = {.disk = -1};
	struct failure why = {0};
	bool done = perform(argc, argv, &request, &why);

	if (!done)
		(void)fprintf(stderr, "%s: %s\n", failure_kind_name(why.kind), why.text);
	cgroup_layout_close(&request.layout);
	cleanup_close(&request.disk);
	return done ? EXIT_SUCCESS : 3;
}
