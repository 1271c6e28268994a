"""Where Windows looks for a DLL on behalf of Python 3.8 and later, and in which order.

From Microsoft's "Dynamic-link library search order" and LoadLibraryExW; CPython's Python/dynload_win.c
(extension modules), Lib/ctypes/__init__.py (CDLL) and What's New in 3.8 (PATH is no longer searched);
and the patch "Add CondaEcosystemModifyDllSearchPath" of conda-forge/python-feedstock, on its branches
3.8 to 3.10, which still could add PATH, and 3.11 to main, which cannot.
"""

from __future__ import annotations

import enum
import ntpath
import posixpath
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.loader.answer import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

#: In the order in which conda's Python adds them when it starts.
CONDA_DIRECTORIES = (
    "bin",
    "Scripts",
    "Library/bin",
    "Library/usr/bin",
    "Library/mingw-w64/bin",
)
#: HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\KnownDLLs of a Windows 10 and 11 on x86-64.
KNOWN_DLLS = frozenset(
    {
        "advapi32.dll",
        "clbcatq.dll",
        "combase.dll",
        "comdlg32.dll",
        "coml2.dll",
        "difxapi.dll",
        "gdi32.dll",
        "gdiplus.dll",
        "imagehlp.dll",
        "imm32.dll",
        "kernel32.dll",
        "msctf.dll",
        "msvcrt.dll",
        "normaliz.dll",
        "nsi.dll",
        "ole32.dll",
        "oleaut32.dll",
        "psapi.dll",
        "rpcrt4.dll",
        "sechost.dll",
        "setupapi.dll",
        "shcore.dll",
        "shell32.dll",
        "shlwapi.dll",
        "user32.dll",
        "wldap32.dll",
        "ws2_32.dll",
    }
)
#: What every Windows 10 has in System32 besides, of what wheels import: named as "DLL" under
#: "Requirements" on the pages of their functions. For a machine whose System32 cannot be seen.
PART_OF_WINDOWS = KNOWN_DLLS | frozenset(
    {
        "bcrypt.dll",
        "cfgmgr32.dll",
        "comctl32.dll",
        "credui.dll",
        "crypt32.dll",
        "d3d11.dll",
        "d3d12.dll",
        "dbghelp.dll",
        "dnsapi.dll",
        "dwmapi.dll",
        "dxgi.dll",
        "iphlpapi.dll",
        "kernelbase.dll",
        "mpr.dll",
        "mswsock.dll",
        "ncrypt.dll",
        "netapi32.dll",
        "ntdll.dll",
        "opengl32.dll",
        "pdh.dll",
        "powrprof.dll",
        "propsys.dll",
        "secur32.dll",
        "ucrtbase.dll",
        "userenv.dll",
        "uxtheme.dll",
        "version.dll",
        "winhttp.dll",
        "wininet.dll",
        "winmm.dll",
        "wintrust.dll",
        "wtsapi32.dll",
    }
)
#: "An API set contract name doesn't name a file": Microsoft, "API set loader operation".
_API_SET = re.compile(r"(?:api|ext)-ms-")
_ABSOLUTE = re.compile(r"[A-Za-z]:/|/")


class Search(enum.Enum):
    """Which of its orders Windows follows."""

    #: LOAD_LIBRARY_SEARCH_DEFAULT_DIRS, with LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR for a path: the
    #: import of an extension module, and ctypes.CDLL.
    DEFAULT_DIRS = enum.auto()
    #: No flag: LoadLibraryW, ``winmode=0``, and what is opened at the first call into it.
    STANDARD = enum.auto()
    #: The same, the directories of os.add_dll_directory having been put before PATH.
    EXTENDED_PATH = enum.auto()
    #: LOAD_WITH_ALTERED_SEARCH_PATH, of a path.
    ALTERED = enum.auto()


class Windows(Struct, frozen=True, kw_only=True):
    """The Windows of one machine."""

    #: %SystemRoot%, with slashes.
    root: str = "C:/Windows"
    #: The file names of KnownDLLs, in lower case.
    known: frozenset[str] = KNOWN_DLLS

    @property
    def system32(self) -> str:
        """Return its system directory."""
        return posixpath.join(self.root, "System32")


class Added(Struct, frozen=True, kw_only=True):
    """A directory that os.add_dll_directory was given."""

    directory: str
    #: Who gave it: "torch", "conda's Python".
    by: str


class Site(Struct, frozen=True, kw_only=True):
    """What decides, in one process of Python, where it looks. All paths are absolute, with slashes."""

    #: The python.exe that runs. That of a venv only starts the one that the venv was made from.
    python: str
    #: Of Python, major and minor.
    version: tuple[int, int]
    #: Whether it has conda's patch.
    is_conda: bool = False
    #: In the order in which they were added.
    added: tuple[Added, ...] = ()
    variables: Mapping[str, str] = {}
    #: The working directory.
    directory: str = "C:/"
    windows: Windows = Windows()

    @property
    def home(self) -> str:
        """Return the folder of python.exe."""
        return ntpath.dirname(self.python)

    def variable(self, name: str) -> str | None:
        """Return the value of a variable; Windows tells no case apart in their names."""
        folded = name.casefold()
        return next((v for key, v in self.variables.items() if key.casefold() == folded), None)

    @property
    def adds_path(self) -> bool:
        """Tell whether conda's Python searches PATH for the imports of extension modules."""
        enabled = self.variable("CONDA_DLL_SEARCH_MODIFICATION_ENABLE") not in {None, "0"}
        return self.is_conda and self.version < (3, 11) and enabled


class Place(Struct, frozen=True, kw_only=True):
    """A directory that is searched."""

    directory: str
    reason: Reason
    #: What added it.
    by: str | None = None

    @property
    def is_tied(self) -> bool:
        """Tell whether Windows leaves open in which order it and its like are searched."""
        return self.reason is Reason.ADDED


def places(site: Site, search: Search, opened: str | None = None) -> tuple[Place, ...]:
    """Return the directories in the order of a search, for the library that is opened by its path."""
    return tuple(_places(site, search, opened))


def _places(site: Site, search: Search, opened: str | None) -> Iterator[Place]:
    folder = (
        Place(directory=ntpath.dirname(opened), reason=Reason.DLL_DIRECTORY) if opened else None
    )
    application = Place(directory=site.home, reason=Reason.APPLICATION)
    if search is Search.ALTERED:
        yield folder or application
    else:
        # Of the standard order, the folder of the library is no part.
        if folder and search is Search.DEFAULT_DIRS:
            yield folder
        yield application
    # Conda's patch calls SetDefaultDllDirectories in that mode, which is for all that follows.
    if search is Search.DEFAULT_DIRS or site.adds_path:
        yield from _added(site)
        yield Place(directory=site.windows.system32, reason=Reason.SYSTEM32)
        return
    yield Place(directory=site.windows.system32, reason=Reason.SYSTEM32)
    yield Place(directory=posixpath.join(site.windows.root, "System"), reason=Reason.WINDOWS)
    yield Place(directory=site.windows.root, reason=Reason.WINDOWS)
    yield Place(directory=site.directory, reason=Reason.CURRENT)
    added = site.added if search is Search.EXTENDED_PATH else ()
    for one in added:
        yield Place(directory=slashed(one.directory), reason=Reason.PATH_VARIABLE, by=one.by)
    yield from (Place(directory=one, reason=Reason.PATH_VARIABLE) for one in _path(site))


def _added(site: Site) -> Iterator[Place]:
    """Yield what AddDllDirectory was given, the last one first.

    "If more than one directory has been added, the order in which those directories are searched is
    unspecified"; conda's patch adds its own in reverse, and says that they are searched as listed.
    """
    added: list[Added] = []
    if site.is_conda:
        conda = (posixpath.join(site.home, one) for one in CONDA_DIRECTORIES)
        added += (Added(directory=one, by="conda's Python") for one in conda)
    added += site.added
    if site.adds_path:
        by = "conda's Python, CONDA_DLL_SEARCH_MODIFICATION_ENABLE being set"
        path = [*reversed(_path(site)), site.directory, site.windows.root]
        added += (Added(directory=one, by=by) for one in path)
    known: set[str] = set()
    for one in reversed(added):
        directory = slashed(one.directory)
        if directory.casefold() not in known:
            known.add(directory.casefold())
            yield Place(directory=directory, reason=Reason.ADDED, by=one.by)


def _path(site: Site) -> list[str]:
    entries = (entry.strip('"') for entry in (site.variable("PATH") or "").split(";"))
    return [slashed(entry) for entry in entries if is_absolute(slashed(entry))]


def slashed(path: str) -> str:
    """Return a path of Windows with slashes, and none at its end."""
    path = path.replace("\\", "/")
    return path.rstrip("/") or path if len(path) > 3 else path


def is_absolute(path: str) -> bool:
    """Tell whether a path with slashes says where it starts."""
    return _ABSOLUTE.match(path) is not None


def is_api_set(name: str) -> bool:
    """Tell whether a name in lower case names no file."""
    return _API_SET.match(name) is not None


def base_name(name: str) -> str:
    """Return the name by which Windows knows a library once it is loaded."""
    base = slashed(name).rpartition("/")[2].casefold()
    # "If the file name extension is omitted, .dll is appended; a point at the end prevents that."
    return base.removesuffix(".") if "." in base else f"{base}.dll"
