/* helper/accounts/accounts.h - what a container shows of the accounts of the host. */
#ifndef CARREL_HELPER_ACCOUNTS_H
#define CARREL_HELPER_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "account/account.h"
#include "base/failure.h"

/*
 * The id map of a container. Container ids 0..65535 map to the host ids block..block+65535,
 * except for the ids in `keep`, which map to themselves; kept ids of 65536 and more are added.
 * Adjacent lines are merged. When more than ID_MAP_LINES lines would be needed (user_namespaces(7):
 * 340 since Linux 4.15) the gaps between kept ids are left out from the top until it fits, and
 * kept ids that still do not fit are dropped from the end of `keep` (*dropped counts them), so
 * put the ids that must be there first. FAILURE_POLICY when `keep` has 0 (inside, that is the
 * container's root) or an id of the block, or when the block is none. Pure.
 */
#define ID_MAP_LINES 340
struct id_map_line {
	uint32_t inside, outside, count;
};
struct id_map {
	struct id_map_line lines[ID_MAP_LINES];
	size_t count;
};
bool id_map_plan(uint32_t block, const uint32_t *keep, size_t keep_count, struct id_map *map,
		 size_t *dropped, struct failure *why);

/* True when a container id is mapped by the map. Pure. */
bool id_map_contains(const struct id_map *map, uint32_t inside);

/* The text that is written to uid_map or gid_map; caller frees. */
char *id_map_text(const struct id_map *map);

/*
 * Merge lines into the text of a passwd or group file, purely: returns new text (caller frees)
 * in which every entry of `account` stands exactly once. Existing entries of the same name are
 * replaced, entries of another name with the user's uid stay after ours. Any password field of our
 * lines is "x" (passwd) or "x" (group). Fields that contain ':', newline or control bytes have
 * those bytes replaced by '_' (',' too, in a list of members). Lines of the old text that are
 * malformed are kept as they are, except that an over-long text (> 1 MiB) is an error. `home` and
 * `shell` replace the account's when not NULL. For group: each of the account's groups for which
 * `map` has the gid is there with the user as a member, other members of the line are kept; a gid
 * without a name takes the name that it has in the old text, or "group" and the number.
 */
char *passwd_merge(const char *old_text, const struct account *account, const char *home,
		   const char *shell, struct failure *why);
char *group_merge(const char *old_text, const struct account *account, const struct id_map *gid_map,
		  struct failure *why);

/*
 * The passwd and group texts that a host-image container starts from: the system accounts (uid or
 * gid below 1000, and nobody/nogroup 65534) of the host's own files, every password field "x" or
 * "*", no members in the group lines. `text` is the content of the host's file.
 */
char *passwd_system_entries(const char *text, struct failure *why);
char *group_system_entries(const char *text, struct failure *why);

/*
 * A snapshot of the host's /etc for host-image containers, in `store` (a directory descriptor of
 * a root-only directory, not O_PATH): "etc-<generation>". It holds every directory, regular file
 * and link below `etc` that an ordinary user could read: every directory on the way is readable
 * and searchable, the file readable, for owner, group and others alike and for whom an access
 * control list names. Ids (65536 and more become 0) and mode are kept, not set-id bits and xattrs.
 * At most 64 MiB in all (more is an error) and 4 MiB a file (larger ones are left out, as are
 * directories of other file systems that are mounted in /etc). passwd, group, hostname, hosts,
 * resolv.conf, mtab and machine-id are replaced by links: to /run/carrel/etc/NAME (mtab:
 * /proc/self/mounts), also when the host has none. Never shadow, gshadow, subuid, subgid, their
 * and passwd's backups, ssh host keys, sudoers, ssl/private, carrel, or anything not
 * world-readable. Empty directories stay.
 *
 * Reuses the newest generation while a cheap fingerprint of the host's /etc (names, sizes, modes,
 * owners, times and inodes of what is shown) is unchanged; the fingerprint is taken anew only when
 * the last check is `recheck_seconds` ago, in another boot or in the future. A new generation is
 * built aside and renamed in place; two at once are serialised with flock on `store`/etc.lock. Old
 * generations are removed except those in use (by the hold *in_use_fd, to be kept by the
 * caller as long as the snapshot is mounted; -1 on failure).
 *
 * Returns an O_PATH directory descriptor of the generation, -1 with *why on failure.
 */
int etc_snapshot_open(int etc, int store, unsigned recheck_seconds, int *in_use_fd,
		      struct failure *why);

#endif
