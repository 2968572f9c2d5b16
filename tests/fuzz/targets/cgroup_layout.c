/* targets/cgroup_layout.c - mountinfo and cgroup of /proc, with mount points that users may name.
 */
/* Sources: helper/limits/mountinfo.c helper/limits/layout_parse.c helper/limits/cgroup_name.c
 * base/failure.c
 */
#include "helper/limits/cgroup_name.h"
#include "helper/limits/layout_parse.h"
#include "helper/limits/mountinfo.h"
#include "tests/fuzz/targets/fuzz.h"

static void check_lines(const char *mountinfo)
{
	char *text = strdup(mountinfo), *cursor = text;
	struct mount_line line;

	MUST(text);
	while (mountinfo_next(&cursor, &line)) {
		MUST(cursor > line.super && line.root < line.point && line.point < line.options);
		MUST(line.options < line.type && line.type < line.source);
		MUST(line.source < line.super && *line.type && *line.super);
		MUST(mountinfo_has_word(line.type, line.type) || strchr(line.type, ','));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *mountinfo = fuzz_part(&data, &size), *cgroups = fuzz_part(&data, &size);
	static struct cgroup_mounts mounts;
	struct failure why = {0};
	char directory[CGROUP_NAME_SIZE];

	check_lines(mountinfo);
	if (cgroup_layout_parse(mountinfo, cgroups, &mounts, &why)) {
		MUST(mounts.count > 0 && mounts.count <= CGROUP_MAX_ROOTS);
		for (size_t i = 0; i < mounts.count; i++) {
			const struct cgroup_mount *mount = &mounts.mounts[i];
			const char *own = cgroup_mount_own(mount);

			MUST(mount->name[0] && strlen(mount->name) < sizeof(mount->name));
			MUST(strlen(mount->point) < sizeof(mount->point));
			MUST(!own || (*own && strncmp(own, "..", 3) != 0));
			for (size_t j = 0; j < i; j++)
				MUST(strcmp(mount->name, mounts.mounts[j].name) != 0);
		}
	} else {
		MUST(why.kind == FAILURE_UNSUPPORTED && why.text[0]);
	}
	(void)cgroup_controllers_parse(cgroups);
	if (cgroup_container_directory(cgroups, directory, &why))
		MUST(*directory && !strchr(directory, '/') && *directory != '.' &&
		     strncmp(directory, "pool-", 5) != 0 && strcmp(directory, "tasks") != 0);
	free(mountinfo);
	free(cgroups);
	return 0;
}
