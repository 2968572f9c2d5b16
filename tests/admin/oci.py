"""OCI image layouts made by hand, as skopeo copy docker://... oci:... leaves them."""

import gzip
import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."


def entry(name, kind=tarfile.REGTYPE, data=b"", mode=0o644, owner=(0, 0), link="", xattrs=(),
          device=(0, 0)):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, link, len(data)
    info.uid, info.gid = owner
    info.devmajor, info.devminor = device
    info.mtime = 1700000000
    info.pax_headers = {f"SCHILY.xattr.{key}": value.decode("latin1") for key, value in xattrs}
    return info, data


def tar_of(entries):
    """Written by hand: what Python makes of attributes that are no text is not what others do."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def folder(name, mode=0o755, **more):
    return entry(name, tarfile.DIRTYPE, mode=mode, **more)


class Layout:
    def __init__(self, path):
        self.path = path
        shutil.rmtree(path, ignore_errors=True)
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data, media_type, **more):
        digest = hashlib.sha256(data).hexdigest()
        (self.path / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)} | more

    def json(self, value, media_type, **more):
        return self.blob(json.dumps(value).encode(), media_type, **more)

    def manifest(self, layers, packing="gzip", docker=False, architecture=ARCHITECTURE, **more):
        """Layers as tar bytes; returns the descriptor of the manifest."""
        kind = (DOCKER + "image.rootfs.diff.tar" if docker else OCI + "layer.v1.tar")
        descriptors = []
        for layer in layers:
            if packing == "gzip":
                data, suffix = gzip.compress(layer), ".gzip" if docker else "+gzip"
            elif packing == "zstd":
                data = subprocess.run(["zstd", "-c"], input=layer, capture_output=True,
                                      check=True).stdout
                suffix = "+zstd"
            else:
                data, suffix = layer, ""
            descriptors.append(self.blob(data, kind + suffix))
        config = self.json({"architecture": architecture, "os": "linux", "rootfs": {
            "type": "layers",
            "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]}},
            DOCKER + "container.image.v1+json" if docker else OCI + "config.v1+json")
        media_type = DOCKER + "distribution.manifest.v2+json" if docker else OCI + "manifest.v1+json"
        return self.json({"schemaVersion": 2, "mediaType": media_type, "config": config,
                          "layers": descriptors}, media_type, **more)

    def index(self, *descriptors):
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2,
                                                          "manifests": list(descriptors)}))

    def file(self, descriptor):
        return self.path / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")


def named(tag):
    return {"annotations": {"org.opencontainers.image.ref.name": tag}}


def for_platform(architecture, os="linux"):
    return {"platform": {"architecture": architecture, "os": os}}
