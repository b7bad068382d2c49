"""On what sort of disk a file lies, where that can be found out."""

from __future__ import annotations

import os
from pathlib import Path

_NETWORK = frozenset({
    "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs",
    "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs3", "nfs4", "smb", "smb2", "smb3", "smbfs",
})  # fmt: skip


def network_of(path: Path, mounts: str | None = None) -> str | None:
    """The type of the network file system a file lies on; None when it is none, or cannot be found out.

    Args:
        path: Absolute; need not exist.
        mounts: Lines as in /proc/self/mounts, which is read when they are not given.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(errors="replace")
        except OSError:
            return None
    longest, found = -1, ""
    for line in mounts.splitlines():
        _, place, kind, *_ = [*line.split(" "), "", "", ""]
        place = place.replace("\\040", " ")
        if place and os.path.commonpath([place, path]) == place and len(place) >= longest:
            longest, found = len(place), kind
    return found if found in _NETWORK else None
