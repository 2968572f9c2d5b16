/* helper/admin/oci_layout.c - find an image in an OCI image layout (opencontainers/image-spec 1.1).
 */
#include "helper/admin/oci_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define TYPE_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define TYPE_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define NAME_ANNOTATION      "org.opencontainers.image.ref.name"
#define NAME_SIZE            256

static const struct {
	const char *machine, *architecture;
} architectures[] = {
    {"x86_64", "amd64"},    {"aarch64", "arm64"}, {"riscv64", "riscv64"},
    {"ppc64le", "ppc64le"}, {"s390x", "s390x"},   {"loongarch64", "loong64"},
};

static const struct {
	const char *type;
	enum oci_packing packing;
} layer_types[] = {
    {OCI_TYPE_LAYER, OCI_PLAIN},
    {OCI_TYPE_LAYER "+gzip", OCI_GZIP},
    {OCI_TYPE_LAYER "+zstd", OCI_ZSTD},
    {"application/vnd.docker.image.rootfs.diff.tar", OCI_PLAIN},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", OCI_GZIP},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", OCI_ZSTD},
};

const char *oci_architecture(void)
{
	struct utsname host;

	if (uname(&host) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LENGTH(architectures); i++)
		if (strcmp(host.machine, architectures[i].machine) == 0)
			return architectures[i].architecture;
	return NULL;
}

static bool read_descriptor(const struct json_tree *tree, size_t node, struct oci_blob *blob,
			    struct failure *why)
{
	char digest[sizeof(OCI_DIGEST) + OCI_HEX];

	if (!json_tree_text(tree, json_tree_member(tree, node, "digest"), digest, sizeof(digest)) ||
	    strncmp(digest, OCI_DIGEST, strlen(OCI_DIGEST)) != 0 ||
	    strlen(digest) != strlen(OCI_DIGEST) + OCI_HEX ||
	    strspn(digest + strlen(OCI_DIGEST), "0123456789abcdef") != OCI_HEX)
		return fail(why, FAILURE_DATA, 0,
			    "a part of it has no SHA-256 digest: only those are understood");
	memcpy(blob->hex, digest + strlen(OCI_DIGEST), sizeof(blob->hex));
	if (!json_tree_number(tree, json_tree_member(tree, node, "size"), &blob->size))
		return fail(why, FAILURE_DATA, 0, "blob %.12s has no size", blob->hex);
	(void)json_tree_text(tree, json_tree_member(tree, node, "mediaType"), blob->type,
			     sizeof(blob->type));
	return true;
}

static bool has_type(const struct json_tree *tree, size_t node, const char *one, const char *other)
{
	char type[96];

	return json_tree_text(tree, json_tree_member(tree, node, "mediaType"), type,
			      sizeof(type)) &&
	       (strcmp(type, one) == 0 || strcmp(type, other) == 0);
}

static bool is_list(const struct json_tree *tree, size_t node)
{
	return has_type(tree, node, TYPE_OCI_INDEX, TYPE_DOCKER_LIST);
}

static void read_name(const struct json_tree *tree, size_t node, char name[NAME_SIZE])
{
	size_t annotations = json_tree_member(tree, node, "annotations");

	(void)json_tree_text(tree,
			     annotations ? json_tree_member(tree, annotations, NAME_ANNOTATION) : 0,
			     name, NAME_SIZE);
}

/* An entry that names no platform is for any: what it really is for, its config tells. */
static bool fits(const struct json_tree *tree, size_t node, const char *architecture)
{
	size_t platform = json_tree_member(tree, node, "platform");
	char os[32], machine[32];

	if (!platform)
		return true;
	return json_tree_text(tree, json_tree_member(tree, platform, "os"), os, sizeof(os)) &&
	       json_tree_text(tree, json_tree_member(tree, platform, "architecture"), machine,
			      sizeof(machine)) &&
	       strcmp(os, "linux") == 0 && strcmp(machine, architecture) == 0;
}

/* What there is to choose from, when no tag was given: more than one name is a question. */
static bool check_names(const struct json_tree *index, size_t entries, struct failure *why)
{
	char first[NAME_SIZE] = "", name[NAME_SIZE], all[300] = "";
	size_t used = 0, count = 0;

	for (size_t at = entries; at; at = index->nodes[at].next) {
		int length;

		read_name(index, at, name);
		if (!*name || strcmp(name, first) == 0)
			continue;
		(void)snprintf(first, sizeof(first), "%s", name);
		length =
		    snprintf(all + used, sizeof(all) - used, "%s%s", count++ ? ", " : "", name);
		if (length > 0 && (size_t)length < sizeof(all) - used)
			used += (size_t)length;
	}
	return count < 2 || fail(why, FAILURE_REQUEST, 0,
				 "it holds several images, say which as DIRECTORY:TAG: %s", all);
}

bool oci_index_choose(const struct json_tree *index, const char *tag, struct oci_blob *blob,
		      bool *is_index, struct failure *why)
{
	size_t entries = json_tree_first(index, json_tree_member(index, 0, "manifests"));
	const char *architecture = oci_architecture();
	char name[NAME_SIZE];
	bool named = false;

	if (!architecture)
		return fail(why, FAILURE_UNSUPPORTED, 0,
			    "I do not know how OCI images call this architecture");
	if (!tag && !check_names(index, entries, why))
		return false;
	for (size_t at = entries; at; at = index->nodes[at].next) {
		read_name(index, at, name);
		*is_index = is_list(index, at);
		if ((tag && strcmp(name, tag) != 0) ||
		    (!*is_index && !has_type(index, at, OCI_TYPE_MANIFEST, TYPE_DOCKER_MANIFEST)))
			continue;
		named = true;
		if (*is_index || fits(index, at, architecture))
			return read_descriptor(index, at, blob, why);
	}
	if (tag && !named)
		return fail(why, FAILURE_MISSING, 0, "it has no image with the tag '%s'", tag);
	return fail(why, FAILURE_UNSUPPORTED, 0, "it has no image for linux/%s", architecture);
}

static bool read_layer(const struct json_tree *tree, size_t node, struct oci_manifest *manifest,
		       struct failure *why)
{
	struct oci_blob *layer = &manifest->layers[manifest->layer_count];

	if (manifest->layer_count == OCI_LAYERS_MAX)
		return fail(why, FAILURE_DATA, 0, "it has more than %d layers", OCI_LAYERS_MAX);
	if (!read_descriptor(tree, node, layer, why))
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(layer_types); i++)
		if (strcmp(layer->type, layer_types[i].type) == 0) {
			manifest->packing[manifest->layer_count++] = layer_types[i].packing;
			return true;
		}
	return fail(why, FAILURE_UNSUPPORTED, 0,
		    "a layer of it is of a kind that cannot be unpacked: %s", layer->type);
}

bool oci_manifest_read(const struct json_tree *tree, struct oci_manifest *manifest,
		       struct failure *why)
{
	size_t config = json_tree_member(tree, 0, "config");
	size_t layers = json_tree_first(tree, json_tree_member(tree, 0, "layers"));

	manifest->layer_count = 0;
	if (!config || !layers)
		return fail(why, FAILURE_DATA, 0, "its manifest names no config or no layers");
	if (!read_descriptor(tree, config, &manifest->config, why))
		return false;
	for (; layers; layers = tree->nodes[layers].next)
		if (!read_layer(tree, layers, manifest, why))
			return false;
	return true;
}

bool oci_config_check(const struct json_tree *config, struct failure *why)
{
	const char *architecture = oci_architecture();
	char machine[32], os[32];

	if (!json_tree_text(config, json_tree_member(config, 0, "architecture"), machine,
			    sizeof(machine)) ||
	    !json_tree_text(config, json_tree_member(config, 0, "os"), os, sizeof(os)))
		return fail(why, FAILURE_DATA, 0,
			    "its config does not say for which machine it is");
	if (architecture && strcmp(machine, architecture) == 0 && strcmp(os, "linux") == 0)
		return true;
	return fail(why, FAILURE_UNSUPPORTED, 0, "it is for %s/%s and this machine is linux/%s", os,
		    machine, architecture ? architecture : "something else");
}

int oci_blob_open(int layout, const struct oci_blob *blob, struct failure *why)
{
	const struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
				     .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	_cleanup_close_ int file = -1;
	char path[sizeof("blobs/sha256/") + OCI_HEX];
	struct stat status;

	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", blob->hex);
	file = (int)syscall(SYS_openat2, layout, path, &how, sizeof(how));
	if (file < 0 || fstat(file, &status) < 0)
		return fail_fd(why, FAILURE_DATA, errno, "cannot open its %s", path);
	if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size != blob->size)
		return fail_fd(why, FAILURE_DATA, 0,
			       "its %s has %llu bytes and should have %llu: copy it again", path,
			       (unsigned long long)status.st_size, (unsigned long long)blob->size);
	return take_fd(&file);
}
