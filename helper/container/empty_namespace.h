/* helper/container/empty_namespace.h - the mount namespace with nothing in it that containers start
 * in. */
#ifndef CARREL_HELPER_CONTAINER_EMPTY_NAMESPACE_H
#define CARREL_HELPER_CONTAINER_EMPTY_NAMESPACE_H

#include "base/failure.h"
#include "helper/registry/registry.h"

/*
 * A mount namespace that holds one read-only tmpfs with the empty folders "image" and "layer", kept
 * at /run/carrel/ns/empty. A container starts as a copy of it, so no mount of the host is ever in a
 * container, and the copy costs the same however many mounts the host has (clone(2) with
 * CLONE_NEWNS copies them all). Made by the first start after boot; two at once are serialised by a
 * lock.
 *
 * Returns a descriptor for setns(2), -1 with *why.
 */
int empty_namespace_open(const struct registry *registry, struct failure *why);

#endif
