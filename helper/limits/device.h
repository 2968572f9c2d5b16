/* helper/limits/device.h - which disk is below a file system: where the rates are held. */
#ifndef CARREL_HELPER_LIMITS_DEVICE_H
#define CARREL_HELPER_LIMITS_DEVICE_H

#include "helper/limits/table.h"

/*
 * The whole disk below the file system that `fd` (O_PATH will do) is on: a partition's disk; for
 * btrfs, whose device numbers are made up, the disk it was mounted from. FAILURE_UNSUPPORTED names
 * the file system when it has no disk (tmpfs, overlay, nfs) or more than one.
 */
bool device_of_disk(int fd, struct limit_device *device, struct failure *why);

/*
 * From mountinfo (written over): the source of the mount with this id, and the type of its file
 * system. Both NULL when it is not there. Pure.
 */
void device_mount_source(char *mountinfo, unsigned long id, const char **source, const char **type);

#endif
