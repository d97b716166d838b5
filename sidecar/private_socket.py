"""A socket between two parts of this process that nobody else can open."""

import os
import shutil
import tempfile


class PrivateSocket:
    """The path of one, in a folder that only this user may enter; made at once.

    Args:
        name: of the socket.
    """

    def __init__(self, name: str = "grpc.sock") -> None:
        # mkdtemp gives mode 0700; the path has to be short (108 bytes).
        self._folder = tempfile.mkdtemp(prefix="chaos-sidecar-")
        self.path = os.path.join(self._folder, name)

    def close(self) -> None:
        """Remove it. A second time it is harmless."""
        shutil.rmtree(self._folder, ignore_errors=True)
