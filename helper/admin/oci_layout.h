/* helper/admin/oci_layout.h - find an image in an OCI image layout (opencontainers/image-spec 1.1).
 */
#ifndef CARREL_HELPER_ADMIN_OCI_LAYOUT_H
#define CARREL_HELPER_ADMIN_OCI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "helper/admin/json_tree.h"

#define OCI_DIGEST     "sha256:"
#define OCI_HEX        64
#define OCI_LAYERS_MAX 512
#define OCI_TEXT_MAX   (4 * 1024 * 1024)

#define OCI_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_TYPE_CONFIG   "application/vnd.oci.image.config.v1+json"
#define OCI_TYPE_LAYER    "application/vnd.oci.image.layer.v1.tar"

enum oci_packing { OCI_PLAIN, OCI_GZIP, OCI_ZSTD };

/* What a descriptor says of a blob. */
struct oci_blob {
	char hex[OCI_HEX + 1]; /* of its SHA-256 */
	char type[96];
	uint64_t size;
};

struct oci_manifest {
	struct oci_blob config;
	struct oci_blob layers[OCI_LAYERS_MAX];
	enum oci_packing packing[OCI_LAYERS_MAX];
	size_t layer_count;
};

/* The architecture of this machine as Go and the specification call it; NULL when it has no name.
 */
const char *oci_architecture(void);

/*
 * Choose from the parsed index the entry that is named `tag` (NULL: whatever name, if there is but
 * one), for Linux on this architecture. *is_index tells whether it is another index, in which to
 * choose again without a tag. Pure, but for oci_architecture.
 */
bool oci_index_choose(const struct json_tree *index, const char *tag, struct oci_blob *blob,
		      bool *is_index, struct failure *why);

/* Config and layers of a parsed manifest; those of Docker count as their OCI counterparts. Pure. */
bool oci_manifest_read(const struct json_tree *tree, struct oci_manifest *manifest,
		       struct failure *why);

/* Is the parsed config for this architecture? Pure, but for oci_architecture. */
bool oci_config_check(const struct json_tree *config, struct failure *why);

/* Open the file of a blob, of the size that its descriptor says. -1 with *why. */
int oci_blob_open(int layout, const struct oci_blob *blob, struct failure *why);

#endif
