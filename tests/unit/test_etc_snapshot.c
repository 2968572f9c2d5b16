/* tests/unit/test_etc_snapshot.c - a snapshot of /etc shows all that is public, and nothing else.
 */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <check.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl_xattr.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/accounts/accounts.h"
#include "helper/accounts/etc_copy.h"
#include "helper/accounts/etc_fingerprint.h"
#include "tests/unit/etc_room.h"
#include "tests/unit/suites.h"

#define MIB ((off_t)1024 * 1024)

/* In every file that must not be shown. */
#define SECRET "SECRET\n"

static struct etc_room room;

static void make_room(void)
{
	etc_room_make(&room);
}

static void leave_room(void)
{
	etc_room_remove(&room);
}

START_TEST(shows_what_every_user_can_read)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1234567, .tv_nsec = 89}};
	struct etc_shot shot;
	struct stat status;

	etc_make_dir(room.etc, "skel", 0755);
	etc_make_dir(room.etc, "apt", 0755);
	etc_make_dir(room.etc, "apt/conf.d", 0775);
	etc_put(room.etc, "apt/conf.d/01", "one\n", 0444);
	etc_put(room.etc, "profile", "umask 022\n", 0755);
	etc_put(room.etc, "empty", "", 0644);
	ck_assert_int_eq(utimensat(room.etc, "profile", times, 0), 0);

	shot = etc_shoot(&room, 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "skel"), S_IFDIR | 0755);
	ck_assert_uint_eq(etc_mode(shot.fd, "apt/conf.d"), S_IFDIR | 0775);
	ck_assert_uint_eq(etc_mode(shot.fd, "apt/conf.d/01"), S_IFREG | 0444);
	ck_assert_uint_eq(etc_mode(shot.fd, "profile"), S_IFREG | 0755);
	etc_assert_text(shot.fd, "apt/conf.d/01", "one\n");
	etc_assert_text(shot.fd, "profile", "umask 022\n");
	etc_assert_text(shot.fd, "empty", "");
	ck_assert_int_eq(fstatat(shot.fd, "profile", &status, 0), 0);
	ck_assert_int_eq(status.st_mtim.tv_sec, 1234567);
	ck_assert_int_eq(status.st_mtim.tv_nsec, 89);
	etc_shot_close(&shot);
}
END_TEST

/* passwd is there on the host, a folder of that name too, the others are not. */
START_TEST(replaces_what_tells_about_the_host)
{
	static const char *const names[] = {"passwd", "group",       "hostname",
					    "hosts",  "resolv.conf", "machine-id"};
	struct etc_shot shot;

	etc_put(room.etc, "passwd", SECRET, 0644);
	etc_make_dir(room.etc, "hosts", 0755);
	etc_make_dir(room.etc, "cups", 0755);
	etc_put(room.etc, "cups/passwd", "no account file\n", 0644);
	ck_assert_int_eq(symlinkat("../proc/self/mounts", room.etc, "mtab"), 0);

	shot = etc_shoot(&room, 0);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		char target[64];

		(void)snprintf(target, sizeof(target), "/run/carrel/etc/%s", names[i]);
		etc_assert_link(shot.fd, names[i], target);
	}
	etc_assert_link(shot.fd, "mtab", "/proc/self/mounts");
	etc_assert_text(shot.fd, "cups/passwd", "no account file\n");
	etc_shot_close(&shot);
}
END_TEST

START_TEST(copies_links_as_links)
{
	struct etc_shot shot;

	etc_put(room.etc, "shadow", SECRET, 0640);
	ck_assert_int_eq(symlinkat("shadow", room.etc, "innocent"), 0);
	ck_assert_int_eq(symlinkat("/root/secret", room.etc, "away"), 0);
	ck_assert_int_eq(symlinkat("nowhere", room.etc, "dangling"), 0);

	shot = etc_shoot(&room, 0);
	etc_assert_link(shot.fd, "innocent", "shadow");
	etc_assert_link(shot.fd, "away", "/root/secret");
	etc_assert_link(shot.fd, "dangling", "nowhere");
	ck_assert_uint_eq(etc_mode(shot.fd, "shadow"), 0);
	etc_shot_close(&shot);
}
END_TEST

/* Independent of names: reads all that is there. */
static void assert_no_secret(int dir)
{
	_cleanup_closedir_ DIR *stream = fdopendir(dir);
	const struct dirent *entry;

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream))) {
		const char *name = entry->d_name;
		mode_t type = etc_mode(dir, name) & S_IFMT;
		struct failure why;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (type == S_IFDIR)
			assert_no_secret(openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		if (type == S_IFREG) {
			_cleanup_free_ char *text = file_read_at(dir, name, 1 << 20, NULL, &why);

			ck_assert_ptr_nonnull(text);
			ck_assert_msg(!strstr(text, "SECRET"), "%s is shown", name);
		}
	}
}

/* Folders are made with the mode that is given for them, files in them are open to all. */
START_TEST(never_shows_a_secret)
{
	static const struct {
		const char *path;
		mode_t mode;
	} secrets[] = {
	    {"shadow", 0640},
	    {"gshadow", 0644},
	    {"shadow-", 0644},
	    {"gshadow-", 0644},
	    {"shadow.bak", 0644},
	    {".shadow.swp", 0644},
	    {"#gshadow#", 0644},
	    {"sub/shadow", 0644},
	    {"krb5.keytab", 0644},
	    {"passwd-", 0644},
	    {"group-", 0644},
	    {"subuid", 0644},
	    {"subuid-", 0644},
	    {"subgid", 0644},
	    {"subgid-", 0644},
	    {"sudoers", 0444},
	    {"sudoers.d/", 0755},
	    {"sudoers.d/admins", 0644},
	    {"carrel/", 0755},
	    {"carrel/carrel.conf", 0644},
	    {"ssh/ssh_host_rsa_key", 0644},
	    {"ssh/ssh_host_rsa_key.old", 0644},
	    {"ssh/old/", 0755},
	    {"ssh/old/ssh_host_ed25519_key", 0644},
	    {"ssl/private/", 0755},
	    {"ssl/private/key.pem", 0644},
	    {"security/opasswd", 0644},
	    {"ssl/own.key", 0600},
	    {"ssl/group.key", 0640},
	    {"ssl/others-only", 0004},
	    {"ssl/not-the-group", 0604},
	    {"ssl/execute-only", 0755 & ~0444},
	    {"closed/", 0700},
	    {"closed/open", 0644},
	    {"enter-only/", 0711},
	    {"enter-only/open", 0644},
	    {"list-only/", 0744},
	    {"list-only/open", 0644},
	    {"not-the-group/", 0705},
	    {"not-the-group/open", 0644},
	    {"closed/below/", 0755},
	    {"closed/below/open", 0644},
	};
	static const char *const open_names[] = {"ssh/ssh_host_rsa_key.pub", "ssl/openssl.cnf",
						 "group.conf", "sub/shadowsocks"};
	struct etc_shot shot;

	etc_make_dir(room.etc, "ssh", 0755);
	etc_make_dir(room.etc, "ssl", 0755);
	etc_make_dir(room.etc, "security", 0755);
	etc_make_dir(room.etc, "sub", 0755);
	for (size_t i = 0; i < ARRAY_LENGTH(secrets); i++) {
		char path[64];
		size_t length = strlen(secrets[i].path);

		memcpy(path, secrets[i].path, length + 1);
		if (path[length - 1] != '/') {
			etc_put(room.etc, path, SECRET, secrets[i].mode);
			continue;
		}
		path[length - 1] = '\0';
		etc_make_dir(room.etc, path, secrets[i].mode);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(open_names); i++)
		etc_put(room.etc, open_names[i], "public\n", 0644);

	shot = etc_shoot(&room, 0);
	for (size_t i = 0; i < ARRAY_LENGTH(secrets); i++)
		if (strcmp(secrets[i].path, "ssh/old/") != 0)
			ck_assert_msg(!etc_mode(shot.fd, secrets[i].path), "%s is shown",
				      secrets[i].path);
	for (size_t i = 0; i < ARRAY_LENGTH(open_names); i++)
		etc_assert_text(shot.fd, open_names[i], "public\n");
	assert_no_secret(openat(shot.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	etc_shot_close(&shot);
}
END_TEST

/* A list that gives one more user (42) these rights to a file or folder that is 0755 else. */
static bool give_rights(const char *name, unsigned rights)
{
	const struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} acl = {
	    .header.a_version = htole32(POSIX_ACL_XATTR_VERSION),
	    .entries =
		{
		    {htole16(0x01), htole16(7), htole32(UINT32_MAX)}, /* the owner */
		    {htole16(0x02), htole16((uint16_t)rights), htole32(42)},
		    {htole16(0x04), htole16(5), htole32(UINT32_MAX)}, /* the group */
		    {htole16(0x10), htole16(7), htole32(UINT32_MAX)}, /* the mask */
		    {htole16(0x20), htole16(5), htole32(UINT32_MAX)}, /* others */
		},
	};
	_cleanup_close_ int fd = openat(room.etc, name, O_RDONLY | O_CLOEXEC);

	if (fsetxattr(fd, "system.posix_acl_access", &acl, sizeof(acl), 0) == 0)
		return true;
	ck_assert_int_eq(errno, EOPNOTSUPP);
	return false;
}

/* Or each check would build anew, to find that it had it all. */
static void assert_fingerprint_is_that_of_the_copy(void)
{
	_cleanup_close_ int to = -1;
	struct failure why = {0};
	uint64_t listed, copied;

	etc_make_dir(room.store, "copy", 0700);
	to = openat(room.store, "copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert(etc_copy(room.etc, to, "epoch", &copied, &why));
	ck_assert(etc_fingerprint(room.etc, "epoch", &listed, &why));
	ck_assert_uint_eq(copied, listed);
}

START_TEST(heeds_access_control_lists)
{
	struct etc_shot shot;

	etc_put(room.etc, "denied", SECRET, 0755);
	etc_put(room.etc, "granted", "public\n", 0755);
	etc_make_dir(room.etc, "denied.d", 0755);
	etc_put(room.etc, "denied.d/file", SECRET, 0644);
	etc_make_dir(room.etc, "granted.d", 0755);
	etc_put(room.etc, "granted.d/file", "public\n", 0644);
	if (!give_rights("denied", 0)) {
		puts("SKIP  heeds_access_control_lists: /tmp knows none");
		return;
	}
	ck_assert(give_rights("granted", 7) && give_rights("granted.d", 7) &&
		  give_rights("denied.d", 4));

	shot = etc_shoot(&room, 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "denied"), 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "denied.d"), 0);
	etc_assert_text(shot.fd, "granted", "public\n");
	etc_assert_text(shot.fd, "granted.d/file", "public\n");
	etc_shot_close(&shot);
	assert_fingerprint_is_that_of_the_copy();
}
END_TEST

/* Also: it returns, though nobody writes into the pipe. */
START_TEST(shows_no_pipes_devices_and_large_files)
{
	struct etc_shot shot;
	struct stat status;

	ck_assert_int_eq(mkfifoat(room.etc, "fifo", 0644), 0);
	ck_assert_int_eq(fchmodat(room.etc, "fifo", 0644, 0), 0);
	ck_assert_int_eq(mknodat(room.etc, "socket", S_IFSOCK | 0644, 0), 0);
	if (mknodat(room.etc, "null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		puts("SKIP  the device of shows_no_pipes_devices_and_large_files: not permitted");
	etc_put_size(room.etc, "large", 5 * MIB);
	etc_put_size(room.etc, "just-too-large", 4 * MIB + 1);
	etc_put_size(room.etc, "just-right", 4 * MIB);

	shot = etc_shoot(&room, 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "fifo"), 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "socket"), 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "null"), 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "large"), 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "just-too-large"), 0);
	ck_assert_int_eq(fstatat(shot.fd, "just-right", &status, 0), 0);
	ck_assert_int_eq(status.st_size, 4 * MIB);
	etc_shot_close(&shot);
}
END_TEST

START_TEST(drops_set_id_bits)
{
	struct etc_shot shot;

	etc_put(room.etc, "setuid", "", 04755);
	etc_put(room.etc, "setgid", "", 02755);
	etc_make_dir(room.etc, "dir", 03777);

	shot = etc_shoot(&room, 0);
	ck_assert_uint_eq(etc_mode(shot.fd, "setuid"), S_IFREG | 0755);
	ck_assert_uint_eq(etc_mode(shot.fd, "setgid"), S_IFREG | 0755);
	ck_assert_uint_eq(etc_mode(shot.fd, "dir"), S_IFDIR | 0777);
	etc_shot_close(&shot);
}
END_TEST

static void give(const char *name, uid_t uid, gid_t gid)
{
	ck_assert_int_eq(fchownat(room.etc, name, uid, gid, AT_SYMLINK_NOFOLLOW), 0);
}

static void assert_owner(const struct etc_shot *shot, const char *name, uid_t uid, gid_t gid)
{
	struct stat status;

	ck_assert_int_eq(fstatat(shot->fd, name, &status, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_uint_eq(status.st_uid, uid);
	ck_assert_uint_eq(status.st_gid, gid);
}

START_TEST(keeps_the_owners_that_a_container_has)
{
	struct etc_shot shot;

	if (geteuid() != 0) {
		puts("SKIP  keeps_the_owners_that_a_container_has: only root gives files away");
		return;
	}
	etc_put(room.etc, "file", "", 0644);
	etc_make_dir(room.etc, "dir", 0755);
	ck_assert_int_eq(symlinkat("file", room.etc, "link"), 0);
	give("file", 1000, 65535);
	give("dir", 65535, 65536);
	give("link", 65536, 7);

	shot = etc_shoot(&room, 0);
	assert_owner(&shot, "file", 1000, 65535);
	assert_owner(&shot, "dir", 65535, 0);
	assert_owner(&shot, "link", 0, 7);
	etc_shot_close(&shot);
}
END_TEST

static void assert_refused(enum failure_kind kind, const char *part)
{
	struct failure why = {0};
	int hold = 0;

	ck_assert_int_eq(etc_snapshot_open(room.etc, room.store, 0, &hold, &why), -1);
	ck_assert_int_eq(hold, -1);
	ck_assert_int_eq(why.kind, kind);
	ck_assert_msg(strstr(why.text, part) != NULL, "%s", why.text);
	ck_assert_uint_eq(etc_count(&room, "etc-"), 0);
}

START_TEST(refuses_an_etc_that_is_not_public)
{
	ck_assert_int_eq(fchmod(room.etc, 0750), 0);
	assert_refused(FAILURE_UNSUPPORTED, "0750");
}
END_TEST

START_TEST(refuses_more_than_64_mib)
{
	struct etc_shot shot;

	for (int i = 0; i < 15; i++)
		etc_put_size(room.etc, (char[]){'a' + (char)i, '\0'}, 4 * MIB);
	etc_put_size(room.etc, "rest", 4 * MIB - 512);
	etc_put(room.etc, "small", "x", 0644);
	etc_put(room.etc, "one-more", "", 0644);
	assert_refused(FAILURE_UNSUPPORTED, "64 MiB");

	ck_assert_int_eq(unlinkat(room.etc, "one-more", 0), 0);
	shot = etc_shoot(&room, 0);
	etc_shot_close(&shot);
}
END_TEST

START_TEST(refuses_endless_depth)
{
	_cleanup_close_ int dir = dup(room.etc);

	for (int depth = 0; depth < 40; depth++) {
		int next;

		etc_make_dir(dir, "d", 0755);
		next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(dir);
		dir = next;
	}
	assert_refused(FAILURE_UNSUPPORTED, "32 deep");
}
END_TEST

/* In a child with mounts of its own. */
static int shoot_with_mount(void)
{
	struct failure why;
	int top, etc, hold;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	top = open(room.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* by the new mounts */
	if (fchdir(top) < 0 || mount("none", "etc/mounted", "tmpfs", 0, "mode=755") < 0)
		return 77;
	etc = openat(top, "etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	etc_put(top, "etc/mounted/file", "", 0644);
	return etc_snapshot_open(etc, room.store, 0, &hold, &why) < 0;
}

START_TEST(leaves_out_other_file_systems)
{
	struct etc_shot shot;
	pid_t child;
	int status;

	etc_make_dir(room.etc, "mounted", 0755);
	child = fork();
	if (child == 0)
		_exit(shoot_with_mount());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		puts("SKIP  leaves_out_other_file_systems: mounts are not permitted here");
		return;
	}
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	shot = etc_shoot(&room, 3600); /* still the child's */
	ck_assert_uint_eq(etc_mode(shot.fd, "mounted"), 0);
	etc_assert_link(shot.fd, "passwd", "/run/carrel/etc/passwd");
	etc_shot_close(&shot);
}
END_TEST

Suite *etc_snapshot_suite(void)
{
	Suite *suite = suite_create("etc_snapshot");
	TCase *content = tcase_create("content");

	tcase_set_timeout(content, 60);
	tcase_add_checked_fixture(content, make_room, leave_room);
	tcase_add_test(content, shows_what_every_user_can_read);
	tcase_add_test(content, replaces_what_tells_about_the_host);
	tcase_add_test(content, copies_links_as_links);
	tcase_add_test(content, never_shows_a_secret);
	tcase_add_test(content, heeds_access_control_lists);
	tcase_add_test(content, shows_no_pipes_devices_and_large_files);
	tcase_add_test(content, drops_set_id_bits);
	tcase_add_test(content, keeps_the_owners_that_a_container_has);
	tcase_add_test(content, refuses_an_etc_that_is_not_public);
	tcase_add_test(content, refuses_more_than_64_mib);
	tcase_add_test(content, refuses_endless_depth);
	tcase_add_test(content, leaves_out_other_file_systems);
	suite_add_tcase(suite, content);
	return suite;
}
