/* targets/policy_image.c - what was kept of the policies, damaged. */
/* Sources: policy/image.c policy/image_format.c
 * policy/image_pack.c policy/select.c policy/build.c policy/hours.c policy/stamp.c
 * policy/files.c base/failure.c
 */
#include <fcntl.h>
#include <unistd.h>

#include "policy/build.h"
#include "policy/image.h"
#include "policy/stamp.h"
#include "tests/fuzz/targets/fuzz.h"

/*
 * What an image looks like is known to the build alone. So an input is how to change a good one:
 * its first two bytes say how much of it is left, then each four change a byte, two for where.
 * The sums are put right, else hardly any change would get past them.
 */
struct change {
	uint8_t low, high, mask, unused;
};

static void add_list(struct string_list *list, const char *first, const char *second)
{
	struct failure why;

	MUST(string_list_add(list, first, &why) && string_list_add(list, second, &why));
}

static void fill_policy(struct policy *policy, const char *file)
{
	struct failure why;
	struct bind_mount *bind = policy_add_bind(policy, &why);

	MUST(bind && string_set(&bind->source, "/srv/a", &why) &&
	     string_set(&bind->target, "/srv/b", &why));
	bind->readonly = true;
	policy->where = (struct source_line){file, 3};
	MUST(string_set(&policy->name, "first", &why) && string_set(&policy->pool, "pool", &why) &&
	     string_set(&policy->hours_text, "08:00-20:00", &why) &&
	     string_set(&policy->welcome, "Hello", &why));
	policy->time.hours = (struct hours){.count = 1, .spans = {{0x7f, 480, 1200}}};
	add_list(&policy->groups, "students", "cs101");
	add_list(&policy->users, "ann", "bob");
	add_list(&policy->environment, "A=1", "B=2");
	add_list(&policy->seccomp_allow, "keyctl", "bpf");
}

static void *good_image(size_t *length)
{
	struct failure why;
	struct config *config = config_new(&why);
	const char *file = config ? config_add_file(config, "policy.d/a.conf", &why) : NULL;
	struct pool *pool = file ? config_add_pool(config, &why) : NULL;
	struct policy *policy = pool ? config_add_policy(config, &why) : NULL;
	void *bytes;

	MUST(policy && string_set(&pool->name, "pool", &why));
	pool->where = (struct source_line){file, 1};
	add_list(&pool->groups, "students", "staff");
	add_list(&config->exempt_users, "admin", "root");
	fill_policy(policy, file);
	policy = config_add_policy(config, &why);
	MUST(policy && string_set(&policy->name, "second", &why));
	policy->where = (struct source_line){file, 9};
	bytes = config_pack(config, length);
	MUST(bytes);
	config_free(config);
	return bytes;
}

static size_t read_all(const char *text)
{
	return text ? strlen(text) : 0;
}

static size_t read_list(const struct string_list *list)
{
	size_t sum = 0;

	for (size_t i = 0; i < list->count; i++)
		sum += strlen(list->items[i]);
	return sum;
}

/* What a login looks at. */
static size_t read_policy(const struct policy *policy)
{
	size_t sum = read_all(policy->name) + read_all(policy->where.file) +
		     read_all(policy->container_name) + read_all(policy->image) +
		     read_all(policy->hostname) + read_all(policy->pool) +
		     read_all(policy->welcome) + read_all(policy->hours_text) +
		     read_all(policy->deny_text);

	MUST(hours_are_sound(&policy->time.hours) && policy->action <= POLICY_DENY);
	for (size_t i = 0; i < policy->bind_count; i++)
		sum += read_all(policy->binds[i].source) + read_all(policy->binds[i].target) +
		       policy->binds[i].readonly;
	return sum + read_list(&policy->users) + read_list(&policy->groups) +
	       read_list(&policy->services) + read_list(&policy->environment) +
	       read_list(&policy->seccomp_allow) + read_list(&policy->seccomp_deny) + policy->root;
}

static void use(const void *bytes, size_t length)
{
	const char *const groups[] = {"users", "cs101"};
	const struct subject subject = {"eve", "sshd", groups, 2};
	struct config *config = config_unpack(bytes, length);
	struct selection selection;
	volatile size_t sum = 0;

	if (!config)
		return;
	sum += read_all(config->state_dir) + read_all(config->cgroup_parent) +
	       read_all(config->unmatched_text) + config->unmatched_deny;
	(void)config_is_exempt(config, &subject);
	if (config_select(config, &subject, &selection) && selection.policy)
		sum += read_policy(selection.policy) + read_all(selection.matched_group) +
		       (selection.pool ? read_all(selection.pool->name) : 0);
	for (size_t i = 0; i < config_image_count(config->image); i++) {
		const struct policy *policy = config_image_policy(config->image, i);

		sum += policy ? read_policy(policy) : 0;
	}
	config_free(config);
}

static char *change(const void *good, size_t *length, const uint8_t *data, size_t size)
{
	size_t left = *length;
	char *bytes;

	if (size >= 2 && (data[0] || data[1]))
		left = (data[0] | (size_t)data[1] << 8) % (left + 1);
	bytes = fuzz_copy(good, left);
	for (size_t at = 2; left && size >= 2 && size - at >= sizeof(struct change);
	     at += sizeof(struct change)) {
		struct change one;

		memcpy(&one, data + at, sizeof(one));
		bytes[(one.low | (size_t)one.high << 8) % left] ^= (char)one.mask;
	}
	*length = left;
	return bytes;
}

/* As it is, and as the records of files: names that lead anywhere are only looked at. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void *good;
	static size_t good_length;
	size_t length;
	char *bytes;
	int dir = open(getenv("FUZZ_ROOM"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stamp stamp = {0};

	if (!good)
		good = good_image(&good_length);
	length = good_length;
	bytes = change(good, &length, data, size);
	config_image_seal(bytes, length);
	use(bytes, length);
	free(bytes);

	MUST(dir >= 0 && stamp_take(dir, &stamp) && stamp_holds(stamp.bytes, stamp.length, dir));
	length = stamp.length;
	bytes = change(stamp.bytes, &length, data, size);
	MUST(length == stamp.length || !stamp_holds(bytes, length, dir));
	(void)stamp_holds(bytes, length, dir);
	free(bytes);
	free(stamp.bytes);
	(void)close(dir);
	return 0;
}
