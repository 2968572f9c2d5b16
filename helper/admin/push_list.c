/* helper/admin/push_list.c - what a group finds in its folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper/admin/class_folder.h"
#include "helper/admin/framing.h"
#include "helper/admin/select.h"

/* Every file below `folder`, as a path from there. */
static bool gather(int folder, const char *prefix, struct name_set *paths)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd =
	    openat(folder, *prefix ? prefix : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	bool gathered = true;

	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && gathered && (entry = readdir(dir))) {
		char path[PATH_MAX];
		struct stat status;

		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "",
			       entry->d_name);
		gathered = S_ISDIR(status.st_mode) ? gather(folder, path, paths)
						   : name_set_add(paths, path);
	}
	return dir && gathered;
}

static void add_file(struct listing *listing, const char *path, const struct stat *status)
{
	char size[32], time[32], safe[PATH_MAX];
	struct tm when;

	if (listing->as_json) {
		json_object_begin(&listing->json, NULL);
		json_string(&listing->json, "path", path);
		json_number(&listing->json, "bytes", (uint64_t)status->st_size);
		json_number(&listing->json, "pushed_at", (uint64_t)status->st_ctim.tv_sec);
		json_object_end(&listing->json);
		return;
	}
	(void)snprintf(size, sizeof(size), "%lld", (long long)status->st_size);
	(void)strftime(time, sizeof(time), "%Y-%m-%d %H:%M",
		       localtime_r(&status->st_ctim.tv_sec, &when));
	text_make_safe(path, safe, sizeof(safe));
	table_add(&listing->table, (const char *const[]){safe, size, time});
}

int class_list(int folder, bool as_json, bool no_header)
{
	static const struct table_column columns[] = {
	    {"FILE", false}, {"BYTES", true}, {"PUSHED", false}};
	struct listing listing = {.as_json = as_json, .no_header = no_header};
	_cleanup_names_ struct name_set paths = {0};

	if (!gather(folder, "", &paths))
		return complain("cannot read the folder: %s", strerror(errno));
	name_set_sort(&paths);
	listing_begin(&listing, columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < paths.count; i++) {
		struct stat status;

		if (fstatat(folder, paths.items[i], &status, AT_SYMLINK_NOFOLLOW) == 0)
			add_file(&listing, paths.items[i], &status);
	}
	return listing_end(&listing, STATUS_OK);
}
