"""Packages that do not go together: by their releases, or by the files that they install."""

from __future__ import annotations

from reconciler.model.row import Row


class Clash(Row, frozen=True, kw_only=True):
    """Two parts of one CUDA major that do not work together in some of its minor releases."""

    #: The component whose libraries fail.
    component: str
    #: The component that they need in a release not older than their own; where it is the component
    #: itself, the two halves of it, which have to be of one release.
    needs: str
    #: What the loader says, in words or as an error message.
    shows_as: str
    source: str


class Collision(Row, frozen=True, kw_only=True):
    """A library that wheels of several names install at one path, each with its own contents."""

    #: Relative to site-packages.
    path: str
    #: Normal names on PyPI.
    pypi: tuple[str, ...]
    source: str

    def is_of(self, *versions: str) -> bool:
        """Tell whether wheels of these versions all hold it; "" is any version.

        A library with the number of one version, ``libcudnn.so.8`` of cuDNN 8, is not in another.
        """
        majors = {version.partition(".")[0] for version in versions if version}
        return self.number not in majors or majors == {self.number}

    @property
    def number(self) -> str:
        """What stands behind ``.so.``; "" where nothing does."""
        return self.path.rpartition(".so.")[2] if ".so." in self.path else ""
