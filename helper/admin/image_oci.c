/* helper/admin/image_oci.c - fill a new image from an OCI layout, by umoci. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/admin/image_build.h"
#include "helper/admin/image_tool.h"
#include "helper/admin/oci_layout.h"
#include "helper/admin/tree_clean.h"
#include "helper/events/events.h"

#define NESTING_MAX 4
#define LAYOUT      "layout"
#define BLOBS       LAYOUT "/blobs/sha256"
#define TAG         "carrel"
#define LAYER_WORD  "unpack layer"

static const struct tool umoci = {.path = "/usr/bin/umoci", .package = "umoci"};

bool image_oci_check(struct failure *why)
{
	return tool_check(&umoci, why);
}

/* "HEX  -" */
static bool take_digest(void *context, const char *line, struct failure *why)
{
	char *hex = context;

	(void)why;
	if (!*hex && strspn(line, "0123456789abcdef") == OCI_HEX)
		(void)snprintf(hex, OCI_HEX + 1, "%.64s", line);
	return true;
}

static bool digest_of(struct image_build *build, int file, char hex[OCI_HEX + 1],
		      struct failure *why)
{
	char *const arguments[] = {(char[]){"sha256sum"}, NULL};
	const struct tool tool = {.path = "/usr/bin/sha256sum",
				  .package = "coreutils",
				  .arguments = arguments,
				  .input = file,
				  .line = take_digest,
				  .context = hex};

	hex[0] = '\0';
	if (lseek(file, 0, SEEK_SET) != 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read it");
	return tool_run(&tool, build->place, &build->progress, why) &&
	       (*hex || fail(why, FAILURE_SYSTEM, 0, "sha256sum told no digest"));
}

/* The blob, open, and really that of the digest. */
static int open_proven(struct image_build *build, const struct oci_blob *blob, struct failure *why)
{
	_cleanup_close_ int file = oci_blob_open(build->source.fd, blob, why);
	char hex[OCI_HEX + 1];

	if (file < 0 || !digest_of(build, file, hex, why))
		return -1;
	if (strcmp(hex, blob->hex) != 0)
		return fail_fd(why, FAILURE_DATA, 0,
			       "its blob sha256:%.12s... is damaged: its content has the digest "
			       "%.12s...; copy it again",
			       blob->hex, hex);
	return take_fd(&file);
}

/* Read and parse; *text is what the tree is about, and the caller's to free. */
static bool read_json(int file, const char *what, char **text, struct json_tree *tree,
		      struct failure *why)
{
	size_t length;

	*text = file < 0 ? NULL : file_read(file, OCI_TEXT_MAX, &length, what, why);
	if (!*text)
		return false;
	if (json_tree_parse(*text, length, tree, why))
		return true;
	failure_prefix(why, "%s", what);
	return false;
}

/* From index.json down to the manifest for this machine. */
static bool choose(struct image_build *build, struct oci_blob *blob, struct failure *why)
{
	_cleanup_close_ int file =
	    openat(build->source.fd, "index.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool is_index = true, chosen = true;

	if (file < 0)
		return fail(why, FAILURE_DATA, errno, "cannot open its index.json");
	for (unsigned depth = 0; is_index && chosen; depth++) {
		_cleanup_free_ char *text = NULL;
		struct json_tree tree = {0};

		if (depth == NESTING_MAX)
			return fail(why, FAILURE_DATA, 0, "its indexes are nested too deeply");
		chosen =
		    read_json(file, "its index", &text, &tree, why) &&
		    oci_index_choose(&tree, depth ? NULL : build->source.tag, blob, &is_index, why);
		json_tree_free(&tree);
		cleanup_close(&file);
		file = chosen ? open_proven(build, blob, why) : -1;
		chosen = file >= 0;
	}
	return chosen;
}

static bool read_manifest(struct image_build *build, struct oci_manifest *manifest,
			  struct failure *why)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int file = -1;
	struct json_tree tree = {0};
	struct oci_blob blob;
	bool understood;

	if (!choose(build, &blob, why) || (file = oci_blob_open(build->source.fd, &blob, why)) < 0)
		return false;
	understood = read_json(file, "its manifest", &text, &tree, why) &&
		     oci_manifest_read(&tree, manifest, why);
	json_tree_free(&tree);
	return understood;
}

static bool check_config(struct image_build *build, const struct oci_manifest *manifest,
			 struct failure *why)
{
	_cleanup_close_ int file = open_proven(build, &manifest->config, why);
	_cleanup_free_ char *text = NULL;
	struct json_tree tree = {0};
	bool fits = file >= 0 && read_json(file, "its config", &text, &tree, why) &&
		    oci_config_check(&tree, why);

	json_tree_free(&tree);
	return fits;
}

/* ---- a layout of our own, that umoci unpacks ------------------------------------------------- */

static bool link_blob(struct image_build *build, const struct oci_blob *blob, struct failure *why)
{
	char content[sizeof(BUILD_SOURCE "/blobs/sha256/") + OCI_HEX];
	char path[sizeof(BLOBS "/") + OCI_HEX];

	(void)snprintf(content, sizeof(content), BUILD_SOURCE "/blobs/sha256/%s", blob->hex);
	(void)snprintf(path, sizeof(path), BLOBS "/%s", blob->hex);
	return symlinkat(content, build->place, path) == 0 || errno == EEXIST ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot link %s", path);
}

/* umoci before 0.5 knows no zstd: the layer is unpacked for it, and gets a name of its own. */
static bool unpack_zstd(struct image_build *build, struct oci_blob *layer, struct failure *why)
{
	char *const arguments[] = {(char[]){"zstd"},
				   (char[]){"--decompress"},
				   (char[]){"--quiet"},
				   (char[]){"-o"},
				   (char[]){BUILD_POINT "/" BLOBS "/new"},
				   NULL};
	_cleanup_close_ int packed = open_proven(build, layer, why);
	const struct tool tool = {
	    .path = "/usr/bin/zstd", .package = "zstd", .arguments = arguments, .input = packed};
	_cleanup_close_ int plain = -1;
	char path[sizeof(BLOBS "/") + OCI_HEX];
	struct stat status;

	if (packed < 0 || lseek(packed, 0, SEEK_SET) != 0 ||
	    !tool_run(&tool, build->place, &build->progress, why))
		return false;
	plain = openat(build->place, BLOBS "/new", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (plain < 0 || fstat(plain, &status) < 0)
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the unpacked layer");
	layer->size = (uint64_t)status.st_size;
	if (!digest_of(build, plain, layer->hex, why))
		return false;
	(void)snprintf(path, sizeof(path), BLOBS "/%s", layer->hex);
	return renameat(build->place, BLOBS "/new", build->place, path) == 0 ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot name the unpacked layer");
}

static bool take_layers(struct image_build *build, struct oci_manifest *manifest,
			struct failure *why)
{
	if (!link_blob(build, &manifest->config, why))
		return false;
	for (size_t i = 0; i < manifest->layer_count; i++) {
		_cleanup_close_ int file = -1;

		if (!progress_tell(&build->progress, i, manifest->layer_count, NULL, why))
			return false;
		if (manifest->packing[i] == OCI_ZSTD) {
			if (!unpack_zstd(build, &manifest->layers[i], why))
				return false;
			manifest->packing[i] = OCI_PLAIN;
			continue;
		}
		/* umoci compares the digest of what it unpacks; the size is asked for here. */
		file = oci_blob_open(build->source.fd, &manifest->layers[i], why);
		if (file < 0 || !link_blob(build, &manifest->layers[i], why))
			return false;
	}
	return true;
}

static void put_descriptor(struct json *json, const char *key, const char *type,
			   const struct oci_blob *blob)
{
	char digest[sizeof(OCI_DIGEST) + OCI_HEX];

	(void)snprintf(digest, sizeof(digest), OCI_DIGEST "%s", blob->hex);
	json_object_begin(json, key);
	json_string(json, "mediaType", type);
	json_string(json, "digest", digest);
	json_number(json, "size", blob->size);
	if (strcmp(type, OCI_TYPE_MANIFEST) == 0) {
		json_object_begin(json, "annotations");
		json_string(json, "org.opencontainers.image.ref.name", TAG);
		json_object_end(json);
	}
	json_object_end(json);
}

static bool write_json(struct image_build *build, const char *path, struct json *json,
		       struct failure *why)
{
	_cleanup_close_ int file = -1;
	bool written = false;

	if (!json->failed)
		file = openat(build->place, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file >= 0)
		written = file_write_all(file, json->text, json->length);
	json_free(json);
	return written || fail(why, FAILURE_SYSTEM, errno, "cannot write %s", path);
}

/* The manifest, under the name of its digest, which it only has when it is written. */
static bool write_manifest(struct image_build *build, const struct oci_manifest *manifest,
			   struct oci_blob *blob, struct failure *why)
{
	struct json json = {0};
	_cleanup_close_ int file = -1;
	char path[sizeof(BLOBS "/") + OCI_HEX];

	json_object_begin(&json, NULL);
	json_number(&json, "schemaVersion", 2);
	json_string(&json, "mediaType", OCI_TYPE_MANIFEST);
	put_descriptor(&json, "config", OCI_TYPE_CONFIG, &manifest->config);
	json_array_begin(&json, "layers");
	for (size_t i = 0; i < manifest->layer_count; i++)
		put_descriptor(&json, NULL,
			       manifest->packing[i] == OCI_GZIP ? OCI_TYPE_LAYER "+gzip"
								: OCI_TYPE_LAYER,
			       &manifest->layers[i]);
	json_array_end(&json);
	json_object_end(&json);
	blob->size = json.length;
	if (!write_json(build, BLOBS "/manifest", &json, why))
		return false;
	file = openat(build->place, BLOBS "/manifest", O_RDONLY | O_CLOEXEC);
	if (file < 0 || !digest_of(build, file, blob->hex, why))
		return fail(why, FAILURE_SYSTEM, errno, "cannot read the new manifest");
	(void)snprintf(path, sizeof(path), BLOBS "/%s", blob->hex);
	return renameat(build->place, BLOBS "/manifest", build->place, path) == 0 ||
	       fail(why, FAILURE_SYSTEM, errno, "cannot name the new manifest");
}

/*
 * umoci gets to see one image with one tag, whatever the layout holds, and nothing that is not
 * understood here.
 */
static bool write_layout(struct image_build *build, const struct oci_manifest *manifest,
			 struct failure *why)
{
	struct json version = {0}, index = {0};
	struct oci_blob blob;

	json_object_begin(&version, NULL);
	json_string(&version, "imageLayoutVersion", "1.0.0");
	json_object_end(&version);
	if (!write_json(build, LAYOUT "/oci-layout", &version, why) ||
	    !write_manifest(build, manifest, &blob, why))
		return false;
	json_object_begin(&index, NULL);
	json_number(&index, "schemaVersion", 2);
	json_array_begin(&index, "manifests");
	put_descriptor(&index, NULL, OCI_TYPE_MANIFEST, &blob);
	json_array_end(&index);
	json_object_end(&index);
	return write_json(build, LAYOUT "/index.json", &index, why);
}

struct unpacking {
	struct image_build *build;
	size_t done, layers;
};

static bool take_line(void *context, const char *line, struct failure *why)
{
	struct unpacking *unpacking = context;

	if (!strstr(line, LAYER_WORD))
		return true;
	return progress_tell(&unpacking->build->progress, unpacking->done++, unpacking->layers,
			     NULL, why);
}

static bool unpack(struct image_build *build, size_t layers, struct failure *why)
{
	struct unpacking unpacking = {.build = build, .layers = layers};
	char directory[IMAGE_PATH_SIZE];
	char *const arguments[] = {(char[]){"umoci"},
				   (char[]){"--log=info"},
				   (char[]){"raw"},
				   (char[]){"unpack"},
				   (char[]){"--image=" BUILD_POINT "/" LAYOUT ":" TAG},
				   directory,
				   NULL};
	struct tool tool = umoci;

	tool.arguments = arguments;
	tool.input = -1;
	tool.source = &build->source.fd;
	tool.line = take_line;
	tool.context = &unpacking;
	image_build_path(build, "rootfs", directory);
	return tool_run(&tool, build->place, &build->progress, why);
}

static bool import(struct image_build *build, struct oci_manifest *manifest, struct failure *why)
{
	progress_step(&build->progress, "check the layers");
	if (!dir_make_at(build->place, BLOBS, 0700, why) || !read_manifest(build, manifest, why) ||
	    !check_config(build, manifest, why) || !take_layers(build, manifest, why) ||
	    !write_layout(build, manifest, why))
		return false;
	progress_step(&build->progress, "unpack the layers");
	if (!unpack(build, manifest->layer_count, why))
		return false;
	progress_step(&build->progress, "look through the files");
	return tree_remove_at(build->place, LAYOUT, why) &&
	       tree_remove_at(build->place, BUILD_SOURCE_NAME, why) &&
	       tree_clean(build->rootfs, &build->counts, why);
}

bool image_fill_oci(struct image_build *build, struct failure *why)
{
	_cleanup_free_ struct oci_manifest *manifest = calloc(1, sizeof(*manifest));

	if (!manifest)
		return fail(why, FAILURE_SYSTEM, ENOMEM, "cannot read the layout");
	return import(build, manifest, why);
}
