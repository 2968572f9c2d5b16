/* tests/unit/policy_dir.c - a directory of policy files for one test. */
#include "tests/unit/policy_dir.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

void policy_dir_make(struct policy_dir *dir)
{
	(void)snprintf(dir->path, sizeof(dir->path), "/tmp/carrel-policy-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir->path));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir->fd, 0);
	ck_assert_int_eq(mkdirat(dir->fd, "policy.d", 0755), 0);
	ck_assert_int_eq(fchmodat(dir->fd, "policy.d", 0755, 0), 0);
}

void policy_dir_remove(struct policy_dir *dir)
{
	struct failure why;

	(void)close(dir->fd);
	ck_assert_msg(tree_remove_at(AT_FDCWD, dir->path, &why), "%s", why.text);
}

void policy_dir_write_bytes(const struct policy_dir *dir, const char *name, const void *data,
			    size_t length)
{
	int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	ck_assert(file_write_all(fd, data, length));
	ck_assert_int_eq(close(fd), 0);
}

void policy_dir_write(const struct policy_dir *dir, const char *name, const char *text)
{
	policy_dir_write_bytes(dir, name, text, strlen(text));
}

struct config *policy_dir_load(const struct policy_dir *dir)
{
	struct failure why = {0};
	struct config *config = config_load(dir->fd, NULL, &why);

	ck_assert_msg(config != NULL, "refused: %s", why.text);
	return config;
}

struct config *policy_dir_exempt(const struct policy_dir *dir, const char *text)
{
	struct failure why = {0};
	struct config *exempt = NULL;

	ck_assert_ptr_null(config_load(dir->fd, &exempt, &why));
	ck_assert_str_eq(why.text, text);
	ck_assert_int_ne(why.kind, FAILURE_NONE);
	return exempt;
}

void policy_dir_refuses(const struct policy_dir *dir, const char *text)
{
	config_free(policy_dir_exempt(dir, text));
}

static struct config *load_one(const char *name, const char *text)
{
	struct policy_dir dir;
	struct config *config;

	policy_dir_make(&dir);
	policy_dir_write(&dir, name, text);
	config = policy_dir_load(&dir);
	policy_dir_remove(&dir);
	return config;
}

static void refuse_one(const char *name, const char *text, const char *message)
{
	struct policy_dir dir;
	char shown[512];

	policy_dir_make(&dir);
	policy_dir_write(&dir, name, text);
	(void)snprintf(shown, sizeof(shown), "%s:%s", name, message);
	policy_dir_refuses(&dir, shown);
	policy_dir_remove(&dir);
}

struct config *policy_text_load(const char *text)
{
	return load_one("policy.d/a.conf", text);
}

void policy_text_refuses(const char *text, const char *message)
{
	refuse_one("policy.d/a.conf", text, message);
}

struct config *main_text_load(const char *text)
{
	return load_one("carrel.conf", text);
}

void main_text_refuses(const char *text, const char *message)
{
	refuse_one("carrel.conf", text, message);
}
