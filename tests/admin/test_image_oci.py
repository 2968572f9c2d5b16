"""carrel image build from OCI layouts: layers, whiteouts, indexes, digests."""

import os
import shutil
import subprocess
import tarfile

from images import IMAGES, make_whole_root, remove_all
from oci import OCI, Layout, entry, folder, for_platform, named, tar_of
from suite import Skip, contains, equal, expect, test

CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw=ep
ROOT = IMAGES / "app/1/rootfs"


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def base():
    """A first layer with everything that unpacking can get wrong."""
    return tar_of([
        folder("etc"), folder("usr"), folder("usr/bin"), folder("opt"), folder("opt/old"),
        folder("home/user", 0o700, owner=(1000, 1000)), folder("tmp", 0o1777), folder("dev"),
        entry("etc/keep", data=b"kept\n"), entry("etc/gone", data=b"x"),
        entry("opt/old/one", data=b"1"), entry("opt/old/two", data=b"2"),
        entry("usr/bin/su", data=b"set-user-ID", mode=0o4755),
        entry("usr/bin/ping", data=b"capable", mode=0o755,
              xattrs=[("security.capability", CAPABILITY)]),
        entry("usr/bin/sudo", tarfile.LNKTYPE, link="usr/bin/su"),
        entry("etc/link", tarfile.SYMTYPE, link="/../../etc/shadow", mode=0o777),
        entry("home/user/file", data=b"mine", owner=(1000, 1001), mode=0o640,
              xattrs=[("user.note", b"kept"), ("user.overlay.redirect", b"/etc"),
                      ("trusted.overlay.opaque", b"y")]),
        entry("dev/null", tarfile.CHRTYPE, mode=0o666, device=(1, 3)),
        entry("dev/sda", tarfile.BLKTYPE, mode=0o660, device=(8, 0)),
        entry("dev/pipe", tarfile.FIFOTYPE, mode=0o600),
    ])


def change():
    """A second layer: removes, replaces, hides what was in a directory."""
    return tar_of([
        entry("etc/.wh.gone"), entry("etc/new", data=b"new\n"),
        folder("opt/old"), entry("opt/old/.wh..wh..opq"), entry("opt/old/three", data=b"3"),
    ])


def check_tree():
    equal((ROOT / "etc/keep").read_text(), "kept\n", "a file of the first layer")
    equal(sorted(os.listdir(ROOT / "etc")), ["keep", "link", "new"], "after a whiteout")
    equal(os.listdir(ROOT / "opt/old"), ["three"], "an opaque directory")
    equal(oct((ROOT / "usr/bin/su").stat().st_mode), "0o104755", "the set-user-ID program")
    expect((ROOT / "usr/bin/su").samefile(ROOT / "usr/bin/sudo"), "hard links are links")
    equal(os.getxattr(ROOT / "usr/bin/ping", "security.capability"), CAPABILITY, "capabilities")
    status = (ROOT / "home/user/file").stat()
    equal((status.st_uid, status.st_gid, oct(status.st_mode)), (1000, 1001, "0o100640"), "owner")
    equal(os.listxattr(ROOT / "home/user/file"), ["user.note"], "the attributes that stay")
    equal(os.readlink(ROOT / "etc/link"), "/../../etc/shadow", "a link that leads out")
    equal(os.listdir(ROOT / "dev"), ["pipe"], "what is left of /dev")
    equal(oct((ROOT / "tmp").stat().st_mode), "0o41777", "the mode of /tmp")
    equal(sorted(os.listdir(IMAGES / "app")), ["1", "current"], "nothing but the version")


@test
def layers_of_every_packing(host):
    """gzip, zstd and plain layers, as OCI or Docker calls them, make the same image."""
    need("umoci", "zstd")
    for packing in ("gzip", "zstd", "plain"):
        for docker in (False, True):
            if docker and packing == "zstd":
                continue
            layout = Layout(host.directory / "layout")
            layout.index(layout.manifest([base(), change()], packing, docker))
            result = host.works("image", "build", "app", "--from", layout.path)
            check_tree()
            contains(result.err, "left out: null: a device node", "stderr")
            contains(result.out, "[2/4] unpack the layers\n", "the steps")
            remove_all(host)


@test
def layout_made_by_umoci(host):
    """A layout as tools make it, with a tag, in an erofs image that people log in to."""
    need("umoci", "mkfs.erofs")
    layout, bundle = host.directory / "made", host.directory / "bundle"
    for path in (layout, bundle):
        shutil.rmtree(path, ignore_errors=True)
    for command in (["init", "--layout", layout], ["new", "--image", f"{layout}:12"],
                    ["unpack", "--image", f"{layout}:12", bundle]):
        subprocess.run(["umoci", *command], check=True, capture_output=True)
    subprocess.run(["cp", "-a", f"{make_whole_root(host)}/.", bundle / "rootfs"], check=True)
    subprocess.run(["umoci", "repack", "--image", f"{layout}:12", bundle], check=True,
                   capture_output=True)
    host.works("image", "build", "app", "--from", f"{layout}:12", "--format", "erofs")
    entry, = host.json("image", "list", "--json")
    equal((entry["source"], entry["format"]), (f"{layout}:12", "erofs"), "the entry")
    host.policy('policy "app" { users = {"bob"}\n image = "app" }\n', "10-app.conf")
    host.log_in("bob")
    equal(host.works("exec", "bob", "--", "cat", "/etc/mark").out, "in the image\n", "the mark")
    host.works("remove", "--yes", "bob")
    contains(host.fails("image", "build", "app", "--from", f"{layout}:13").err,
             "no image with the tag '13'", "another tag")
    remove_all(host)


@test
def the_right_platform_is_chosen(host):
    """Of a multi-arch index, nested or not, the image for this machine."""
    need("umoci")
    other = tar_of([folder("etc"), folder("usr"), entry("etc/wrong")])
    for nested in (False, True):
        layout = Layout(host.directory / "layout")
        entries = [
            layout.manifest([other], architecture="mips", **for_platform("mips")),
            layout.manifest([other], **for_platform("unknown", "unknown")),
            layout.manifest([base(), change()], **for_platform(
                {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine])),
            layout.manifest([other], architecture="s390x", **for_platform("s390x")),
        ]
        if nested:
            layout.index(layout.json({"schemaVersion": 2, "manifests": entries},
                                     OCI + "index.v1+json", **named("latest")))
        else:
            layout.index(*entries)
        host.works("image", "import", "app", layout.path)
        check_tree()
        remove_all(host)
    layout.index(entries[0], entries[3])
    contains(host.fails("image", "build", "app", "--from", layout.path).err,
             "it has no image for linux/", "none for this machine")
    entries[0].pop("platform")
    layout.index(entries[0])
    contains(host.fails("image", "build", "app", "--from", layout.path).err,
             "it is for linux/mips and this machine is linux/", "the config of another machine")
    equal(os.listdir(IMAGES), [], "what is left")


@test
def several_images_in_a_layout(host):
    """The tag says which; without one the names are listed."""
    need("umoci")
    layout = Layout(host.directory / "layout")
    other = tar_of([folder("etc"), folder("usr"), entry("etc/other")])
    layout.index(layout.manifest([base(), change()], **named("12")),
                 layout.manifest([other], **named("13")))
    contains(host.fails("image", "build", "app", "--from", layout.path).err,
             "several images, say which as DIRECTORY:TAG: 12, 13", "stderr")
    host.works("image", "build", "app", "--from", f"{layout.path}:12")
    check_tree()
    host.works("image", "build", "app", "--from", f"{layout.path}:13")
    equal(os.listdir(IMAGES / "app/2/rootfs/etc"), ["other"], "the other image")
    remove_all(host)


@test
def broken_layouts_are_refused(host):
    """Wrong digests anywhere, missing blobs, unknown kinds, no JSON: nothing is left."""
    need("umoci", "zstd")
    path = host.directory / "layout"

    def refused(words, prepare):
        layout = Layout(path)
        manifest = layout.manifest([base(), change()], prepare.packing)
        layout.index(manifest)
        prepare(layout, manifest)
        contains(host.fails("image", "build", "app", "--from", path).err, words, "stderr")
        equal(os.listdir(IMAGES), [], "what is left")

    def case(words, packing="gzip"):
        def run(prepare):
            prepare.packing = packing
            refused(words, prepare)
        return run

    def flip(file):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)

    def descriptors(layout, manifest):
        import json
        content = json.loads(layout.file(manifest).read_text())
        return content["config"], content["layers"]

    @case("is damaged: its content has the digest")
    def damaged_manifest(layout, manifest):
        flip(layout.file(manifest))

    @case("is damaged: its content has the digest")
    def damaged_config(layout, manifest):
        flip(layout.file(descriptors(layout, manifest)[0]))

    @case("/usr/bin/umoci failed")
    def damaged_gzip_layer(layout, manifest):
        flip(layout.file(descriptors(layout, manifest)[1][0]))

    @case("is damaged: its content has the digest", "zstd")
    def damaged_zstd_layer(layout, manifest):
        flip(layout.file(descriptors(layout, manifest)[1][0]))

    @case("bytes and should have")
    def short_layer(layout, manifest):
        file = layout.file(descriptors(layout, manifest)[1][1])
        file.write_bytes(file.read_bytes()[:-10])

    @case("cannot open its blobs/sha256/")
    def missing_layer(layout, manifest):
        layout.file(descriptors(layout, manifest)[1][0]).unlink()

    @case("cannot open its blobs/sha256/")
    def layer_that_leads_out(layout, manifest):
        file = layout.file(descriptors(layout, manifest)[1][0])
        file.unlink()
        file.symlink_to("/etc/shadow")

    @case("/usr/bin/umoci failed")
    def other_content_than_the_config_says(layout, manifest):
        config, layers = descriptors(layout, manifest)
        layout.index(layout.json({"schemaVersion": 2, "config": config, "layers": layers[::-1]},
                                 OCI + "manifest.v1+json"))

    @case("of a kind that cannot be unpacked: application/x-secret")
    def unknown_layer(layout, manifest):
        config, layers = descriptors(layout, manifest)
        layers[0]["mediaType"] = "application/x-secret"
        layout.index(layout.json({"schemaVersion": 2, "config": config, "layers": layers},
                                 OCI + "manifest.v1+json"))

    @case("has no SHA-256 digest")
    def other_digest(layout, manifest):
        layout.index(manifest | {"digest": "sha512:" + "0" * 128})

    @case("has no SHA-256 digest")
    def path_as_digest(layout, manifest):
        layout.index(manifest | {"digest": "sha256:../../../../etc/passwd" + "0" * 37})

    @case("it is not JSON")
    def no_json(layout, manifest):
        (layout.path / "index.json").write_text("{" * 100)

    @case("cannot open its index.json")
    def no_index(layout, manifest):
        (layout.path / "index.json").unlink()

    @case("names no config or no layers")
    def empty_manifest(layout, manifest):
        layout.index(layout.json({"schemaVersion": 2}, OCI + "manifest.v1+json"))

    @case("nested too deeply")
    def endless_indexes(layout, manifest):
        for _ in range(6):
            manifest = layout.json({"schemaVersion": 2, "manifests": [manifest]},
                                   OCI + "index.v1+json")
        layout.index(manifest)


@test
def layers_cannot_write_outside(host):
    """Links, "..", absolute names and whiteouts in a layer stay within the image."""
    need("umoci")
    outside = host.directory / "outside-of-layers"
    outside.mkdir(exist_ok=True)
    (outside / "precious").write_text("here\n")
    layout = Layout(host.directory / "layout")
    evil = tar_of([
        folder("etc"), folder("usr"),
        entry("way", tarfile.SYMTYPE, link=str(outside), mode=0o777),
        entry("way/written", data=b"x"),
        entry("../../../../../../../../.." + str(outside / "climbed"), data=b"x"),
        entry(str(outside / "absolute"), data=b"x"),
    ])
    second = tar_of([entry("way/.wh.precious"), folder("usr/ok")])
    layout.index(layout.manifest([evil, second]))
    host.carrel("image", "build", "app", "--from", layout.path)
    equal(os.listdir(outside), ["precious"], "the directory outside")
    remove_all(host)
