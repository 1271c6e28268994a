from __future__ import annotations

import time
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_reading import combined, indexes, installed, is_whole, places, read_or_refused, texts

from reconciler.manifests import (
    format_of,
    lock_lines,
    lock_marker,
    poetry_lock,
    pylock_toml,
    uv_lock,
)
from reconciler.model.manifest import IndexRole, Kind, ManifestError

uv = partial(uv_lock.read, "uv.lock")
poetry = partial(poetry_lock.read, "poetry.lock")
pylock = partial(pylock_toml.read, "pylock.toml")

CPU = "https://download.pytorch.org/whl/cpu"
CU128 = "https://download.pytorch.org/whl/cu128"
FILES = """\
sdist = { url = "https://host/x-1.0.tar.gz", hash = "sha256:00", size = 1 }
wheels = [
    { url = "https://host/x-1.0-py3-none-any.whl", hash = "sha256:00" },
    { url = "https://host/x-1.0-cp311-cp311-linux_x86_64.whl", hash = "sha256:00" },
]
"""

UV = f"""\
version = 1
requires-python = ">=3.10"
resolution-markers = ["python_full_version >= '3.11'", "python_full_version < '3.11'"]
conflicts = [[{{ package = "app", extra = "cpu" }}, {{ package = "app", extra = "gpu" }}]]

[[package]]
name = "app"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "jax", extra = ["cuda12"] }},
    {{ name = "torch", version = "2.9.1", source = {{ registry = "https://pypi.org/simple" }}, marker = "extra != 'extra-3-app-cpu' and extra != 'extra-3-app-gpu'" }},
    {{ name = "torch", version = "2.9.1+cpu", source = {{ registry = "{CPU}" }}, marker = "extra == 'extra-3-app-cpu'" }},
    {{ name = "torch", version = "2.9.1+cu128", source = {{ registry = "{CU128}" }}, marker = "extra == 'extra-3-app-gpu'" }},
]
[package.optional-dependencies]
cpu = [{{ name = "torch", version = "2.9.1+cpu" }}]
gpu = [
    {{ name = "torch", version = "2.9.1+cu128", source = {{ registry = "{CU128}" }} }},
]
[package.dev-dependencies]
dev = [{{ name = "pytest" }}]

[[package]]
name = "jax"
version = "0.8"
source = {{ registry = "https://pypi.org/simple" }}
{FILES}dependencies = [
    {{ name = "numpy", version = "2.2", marker = "python_full_version < '3.11'" }},
    {{ name = "numpy", version = "2.3", marker = "python_full_version >= '3.11'" }},
]
[package.optional-dependencies]
cuda12 = [{{ name = "jax-cuda12-plugin", marker = "sys_platform == 'linux'" }}]

[[package]]
name = "jax-cuda12-plugin"
version = "0.8"
source = {{ registry = "https://pypi.org/simple/" }}
{FILES}
[[package]]
name = "numpy"
version = "2.2"
source = {{ registry = "https://pypi.org/simple" }}
resolution-markers = ["python_full_version < '3.11' and sys_platform == 'linux'", "python_full_version < '3.11' and sys_platform != 'linux'"]
{FILES}
[[package]]
name = "numpy"
version = "2.3"
source = {{ registry = "https://pypi.org/simple" }}
resolution-markers = ["python_full_version >= '3.11'"]
{FILES}
[[package]]
name = "pytest"
version = "9"
source = {{ registry = "https://pypi.org/simple" }}
{FILES}
[[package]]
name = "torch"
version = "2.9.1"
source = {{ registry = "https://pypi.org/simple" }}
resolution-markers = ["python_full_version >= '3.11'", "python_full_version < '3.11'"]
{FILES}dependencies = [
    {{ name = "nvidia-cublas-cu12", marker = "platform_machine == 'x86_64' and sys_platform == 'linux'" }},
    {{ name = "torch", version = "2.9.1" }},
]

[[package]]
name = "torch"
version = "2.9.1+cpu"
source = {{ registry = "{CPU}" }}
{FILES}
[[package]]
name = "torch"
version = "2.9.1+cu128"
source = {{ registry = "{CU128}" }}
dependencies = [{{ name = "nvidia-cublas-cu12", marker = "sys_platform == 'linux' or sys_platform == 'win32'" }}]

[[package]]
name = "nvidia-cublas-cu12"
version = "12.8.4.1"
source = {{ registry = "https://pypi.org/simple" }}

[[package]]
name = "left-over"
version = "1"
source = {{ registry = "https://pypi.org/simple" }}
"""


def test_what_uv_installs_is_what_the_project_leads_to() -> None:
    manifest = uv(UV)

    assert installed(manifest) == [
        "jax==0.8",
        "jax-cuda12-plugin==0.8",
        "numpy==2.3; python_version >= '3.11'",
        "torch==2.9.1",
        "nvidia-cublas-cu12==12.8.4.1",
    ]
    assert (manifest.tool, manifest.is_lock) == ("uv", True)


def test_extras_and_groups_of_a_lock_are_installed_apart() -> None:
    manifest = uv(UV)

    assert combined(manifest) == {
        "": ("", "alone"),
        "extra cpu": ("", "extra cpu"),
        "extra gpu": ("", "extra gpu"),
        "group dev": ("", "group dev"),
    }
    for name, torch in (
        ("extra cpu", f"torch==2.9.1+cpu <- {CPU}"),
        ("extra gpu", f"torch==2.9.1+cu128 <- {CU128}"),
        ("group dev", "torch==2.9.1"),
    ):
        assert [text for text in installed(manifest, name) if text.startswith("torch")] == [torch]
    assert "pytest==9" in installed(manifest, "group dev")


def test_a_package_is_locked_for_the_platforms_that_its_dependents_name() -> None:
    on_windows = installed(uv(UV), "extra gpu", platform="win-64")

    assert "nvidia-cublas-cu12==12.8.4.1" in on_windows
    assert "nvidia-cublas-cu12==12.8.4.1" not in installed(uv(UV), platform="win-64")
    assert "jax-cuda12-plugin==0.8" not in on_windows
    assert "nvidia-cublas-cu12==12.8.4.1" not in installed(
        uv(UV), "extra gpu", platform="osx-arm64"
    )


def test_each_locked_package_stands_where_its_name_does() -> None:
    lines = UV.split("\n")
    for _, text, line, column in places(uv(UV)):
        assert lines[line - 1][column - 1 :] == f'"{text.partition("==")[0]}"'


def test_every_index_besides_pypi_is_named_once() -> None:
    assert indexes(uv(UV)) == [(CPU, IndexRole.EXPLICIT), (CU128, IndexRole.EXPLICIT)]


def test_the_pythons_of_a_lock_are_declared() -> None:
    metadata = "[metadata]\npython-versions = "
    for manifest, said in (
        (uv(UV), ">=3.10"),
        (poetry(f'{metadata}">=3.10,<4"\n'), ">=3.10,<4"),
        (pylock('requires-python = ">=3.10"'), ">=3.10"),
    ):
        assert [d.text for d in manifest.declared if d.kind is Kind.PYTHON] == [said]
    (fault,) = poetry(f'{metadata}"new"\n').faults
    assert (fault.text, fault.line) == ("new", 2)


def test_a_project_of_several_parts_is_installed_whole() -> None:
    manifest = uv("""
[[package]]
name = "one"
source = { editable = "one" }
dependencies = [{ name = "a" }, { name = "missing" }]
[[package]]
name = "two"
source = { directory = "two" }
dependencies = [{ name = "b", marker = "extra == 'project-3-two'" }]
[[package]]
name = "a"
version = "1"
source = { git = "https://host/a.git?rev=main#0123" }
[[package]]
name = "b"
version = "1"
source = { url = "https://host/b-1-py3-none-any.whl" }
[[package]]
name = "c"
version = "1"
source = { path = "c.whl" }
[package.metadata]
[manifest]
members = ["one", "two"]
""")

    assert installed(manifest) == [
        "a @ git+https://host/a.git@0123",
        "b @ https://host/b-1-py3-none-any.whl",
    ]


def test_a_script_s_lock_begins_with_what_the_script_asks_for() -> None:
    package = '[[package]]\nname = "{0}"\nversion = "1"\n'
    text = "".join(map(package.format, "abc"))

    assert texts(uv(text)) == ["a==1", "b==1", "c==1"]
    assert texts(uv('[manifest]\nrequirements = [{ name = "b" }]\n' + text)) == ["b==1"]


POETRY_1 = f"""\
[[package]]
name = "torch"
version = "2.0.1+cu118"
category = "main"
optional = false
files = [
    {{file = "torch-2.0.1+cu118-cp310-cp310-linux_x86_64.whl", hash = "sha256:00"}},
]
[package.dependencies]
nvidia-cublas-cu11 = {{version = "11.10.3.66", markers = "platform_system == \\"Linux\\""}}
triton = [
    {{version = "2.0", markers = "platform_system == \\"Linux\\""}},
    {{version = "2.0", markers = "platform_system == \\"Windows\\""}},
]
never = {{version = "1", markers = "sys_platform == 'x'"}}
numpy = "*"
[package.source]
type = "legacy"
url = "{CU128}"
reference = "torch"

[[package]]
name = "nvidia-cublas-cu11"
version = "11.10.3.66"

[[package]]
name = "triton"
version = "2.0"

[[package]]
name = "never"
version = "1"

[[package]]
name = "Xformers"
version = "0.0.20"
optional = true
[package.dependencies]
ninja = "*"

[[package]]
name = "ninja"
version = "1.11"
optional = true

[[package]]
name = "unused"
version = "1"
optional = true

[[package]]
name = "pytest"
version = "7"
category = "dev"

[[package]]
name = "numpy"
version = "1.24"

[[package]]
name = "numpy"
version = "1.26"

[extras]
Fast = ["xformers (>=0.0.20)"]
[metadata]
lock-version = "1.1"
"""


def test_a_lock_of_poetry_1_is_read_by_its_dependencies() -> None:
    manifest = poetry(POETRY_1)

    assert installed(manifest) == [
        f"torch==2.0.1+cu118 <- {CU128}",
        "nvidia-cublas-cu11==11.10.3.66",
        "triton==2.0",
    ]
    assert installed(manifest, platform="win-64")[1:] == ["triton==2.0"]
    assert installed(manifest, "extra fast")[-2:] == ["Xformers==0.0.20", "ninja==1.11"]
    assert installed(manifest, "group dev")[-1] == "pytest==7"


def test_several_versions_that_nothing_tells_apart_are_installed_by_none() -> None:
    assert texts(poetry(POETRY_1), "numpy 1.24") == ["numpy==1.24"]
    assert not any("numpy 1.24" in scopes for scopes in combined(poetry(POETRY_1)).values())


POETRY_2 = f"""\
[[package]]
name = "torch"
version = "2.6.0"
optional = true
groups = ["main"]
markers = "extra == \\"gpu\\" and extra != \\"cpu\\" and (sys_platform == \\"linux\\" or sys_platform == \\"win32\\")"

[[package]]
name = "torch"
version = "2.6.0+cpu"
optional = true
groups = ["main"]
markers = "extra == \\"cpu\\""
[package.source]
type = "legacy"
url = "{CPU}"

[[package]]
name = "numpy"
version = "2.0"
groups = ["main", "Dev"]
markers = {{main = "python_version < \\"3.11\\"", dev = "sys_platform == \\"linux\\""}}

[[package]]
name = "pytest"
version = "8"
groups = ["dev", "test"]

[[package]]
name = "apex"
version = "0.1"
groups = ["main"]
[package.source]
type = "git"
url = "https://host/apex.git"
resolved_reference = "0123"
subdirectory = "x"

[[package]]
name = "wheel"
version = "0.1"
[package.source]
type = "url"
url = "https://host/w.whl"

[[package]]
name = "local"
version = "0.1"
[package.source]
type = "file"
url = "dist/l.whl"

[extras]
cpu = ["torch"]
gpu = ["torch"]
"""


def test_a_lock_of_poetry_2_is_read_by_its_markers() -> None:
    manifest = poetry(POETRY_2)

    assert texts(manifest, "extra gpu") == [
        'torch==2.6.0; sys_platform == "linux" or sys_platform == "win32"',
        'numpy==2.0; python_version < "3.11"',
    ]
    assert texts(manifest, "extra cpu")[0] == "torch==2.6.0+cpu"
    assert texts(manifest, "alone") == ['numpy==2.0; python_version < "3.11"']
    assert texts(manifest, "group dev") == [
        'numpy==2.0; python_version < "3.11" or sys_platform == "linux"',
        "pytest==8",
    ]
    assert texts(manifest, "group test")[1] == "pytest==8"
    assert texts(manifest, "") == [
        "apex @ git+https://host/apex.git@0123#subdirectory=x",
        "wheel @ https://host/w.whl",
        "local @ file:dist/l.whl",
    ]


PYLOCK = f"""\
lock-version = "1.0"
environments = ["sys_platform == 'linux'", "sys_platform == 'win32' and platform_machine == 'AMD64'"]
extras = ["gpu"]
dependency-groups = ["default", "dev"]
default-groups = ["default"]
created-by = "pdm"

[[packages]]
name = "torch"
version = "2.6.0"
marker = "\\"default\\" in dependency_groups"
index = "https://pypi.org/simple"
wheels = [{{ url = "https://host/x.whl", hashes = {{ sha256 = "00" }} }}]

[[packages]]
name = "xformers"
version = "0.0.30"
marker = "'gpu' in extras and python_version >= '3.9'"
index = "{CU128}"

[[packages]]
name = "pytest"
version = "8"
marker = "'dev' in dependency_groups or 'never' in extras"

[[packages]]
name = "cpu-only"
version = "1"
marker = "'gpu' not in extras"
[[packages.wheels]]
name = "cpu_only-1-py3-none-any.whl"

[[packages]]
name = "apex"
vcs = {{ type = "git", url = "https://host/apex.git", commit-id = "0123" }}

[[packages]]
name = "archived"
archive = {{ path = "a.zip" }}

[[packages]]
name = "fetched"
archive = {{ url = "https://host/f.zip" }}

[[packages]]
name = "local"
directory = {{ path = "." }}
"""


def test_pylock_is_read_by_what_is_chosen() -> None:
    manifest = pylock(PYLOCK)
    sources = [
        "apex @ git+https://host/apex.git@0123",
        "archived @ file:a.zip",
        "fetched @ https://host/f.zip",
    ]

    assert installed(manifest) == ["torch==2.6.0", "cpu-only==1", *sources]
    assert installed(manifest, "extra gpu") == [
        "torch==2.6.0",
        f"xformers==0.0.30; python_version >= '3.9' <- {CU128}",
        *sources,
    ]
    assert installed(manifest, "group dev") == [
        "torch==2.6.0",
        "pytest==8",
        "cpu-only==1",
        *sources,
    ]


@pytest.mark.parametrize(
    ("environments", "platforms"),
    [
        (
            "\"sys_platform == 'linux'\", \"sys_platform == 'win32'\"",
            ("linux-64", "linux-aarch64", "win-64", "win-arm64", "linux-ppc64le"),
        ),
        ("", ()),
        ("\"python_version >= '3.9'\"", ()),
        ("\"sys_platform != 'darwin'\", \"sys_platform == 'darwin'\"", ()),
    ],
)
def test_the_environments_of_pylock_are_its_platforms(
    environments: str, platforms: tuple[str, ...]
) -> None:
    assert pylock(f"environments = [{environments}]").platforms == platforms


@pytest.mark.parametrize(
    ("marker", "chosen", "left"),
    [
        ("extra == 'a'", "extra a", ""),
        ("extra == 'a'", "extra b", None),
        ("extra != 'a'", "extra b", ""),
        ("'a' in extras and 'b' not in extras", "extra a", ""),
        ("'a' in dependency_groups", "group a", ""),
        ("os_name == 'nt' and extra == 'a'", "extra a", "os_name == 'nt'"),
        ("(os_name == 'nt' or os_name == 'x') and extra == 'a' and os_name == 'y'", "extra a", "(os_name == 'nt' or os_name == 'x') and os_name == 'y'"),
        ("os_name == 'nt' or extra == 'a'", "extra a", ""),
        ("os_name == 'nt' or extra == 'a'", "", "os_name == 'nt'"),
        ("(extra == 'a' and os_name == 'nt') or (extra == 'b' and os_name == 'x')", "extra b", "os_name == 'x'"),
        ("'x' in sys_platform", "", "'x' in sys_platform"),
        ("", "", ""),
        (")) and os_name == 'nt'", "", "os_name == 'nt'"),
        ("((os_name == 'nt'", "", "os_name == 'nt'"),
    ],
)  # fmt: skip
def test_a_marker_is_decided_by_what_is_chosen(marker: str, chosen: str, left: str | None) -> None:
    assert lock_marker.decided(marker, frozenset({chosen})) == left


@pytest.mark.parametrize(
    ("marker", "platforms"),
    [
        ("", ()),
        ("python_version < '3' and sys_platform == 'darwin'", ("osx-arm64", "osx-64")),
        ("sys_platform == 'linux' and platform_machine == 'x86_64' or os_name == 'nt'", ("linux-64", "win-64", "win-arm64")),
        ("sys_platform == 'linux' and (platform_machine == 'x86_64' or os_name == 'nt')", ("linux-64",)),
        (")sys_platform == 'linux' and platform_machine == 'aarch64'", ("linux-aarch64",)),
        ("((sys_platform != 'linux' and sys_platform != 'darwin')", ("win-64", "win-arm64")),
        ("implementation_name == 'pypy'", ()),
    ],
)  # fmt: skip
def test_a_marker_has_its_platforms_under_some_python(
    marker: str, platforms: tuple[str, ...]
) -> None:
    assert lock_marker.platforms(lock_marker.mask(marker, frozenset())) == platforms


@pytest.mark.parametrize(
    ("marker", "left"),
    [
        ("python_version >= '3.9'", [((), "")]),
        ("python_version >= '3.11'", [((), "python_version >= '3.11'")]),
        ("python_full_version < '3.11'", [((), "python_version < '3.11'")]),
        ("python_full_version < '3.11.4'", [((), "python_version < '3.12'")]),
        ("python_full_version < '3.11.0'", [((), "python_version < '3.11'")]),
        ("python_version > '3.11'", [((), "python_version >= '3.12'")]),
        ("python_full_version <= '3.11.4'", [((), "python_version < '3.12'")]),
        ("python_full_version == '3.11.*'", [((), "python_version >= '3.11' and python_version < '3.12'")]),
        ("python_version ~= '3.11'", [((), "python_version >= '3.11'")]),
        ("python_version ~= '3.11.2'", [((), "python_version >= '3.11' and python_version < '3.12'")]),
        ("python_version != '3.11'", [((), "python_version < '3.11' or python_version >= '3.12'")]),
        ("python_full_version != '3.11.2'", [((), "")]),
        ("python_version >= '2.7'", [((), "")]),
        ("python_version in '3.9 3.10'", [((), "")]),
        ("python_version < '3.9'", []),
        ("sys_platform == 'darwin' and python_version < '3.11'", [(("osx-arm64", "osx-64"), "python_version < '3.11'")]),
    ],
)  # fmt: skip
def test_a_marker_has_its_pythons_of_those_that_are_allowed(
    marker: str, left: list[tuple[tuple[str, ...], str]]
) -> None:
    allowed = lock_marker.allowed(">=3.9,<3.14")

    assert list(lock_marker.places(lock_marker.mask(marker, frozenset()), allowed)) == left


@pytest.mark.parametrize("specifier", ["", "new", "<3", ">=2.7", "==3.99.*"])
def test_a_bound_that_says_nothing_allows_every_python(specifier: str) -> None:
    assert lock_marker.allowed(specifier) == lock_marker.EVERYWHERE


def test_platforms_may_differ_in_their_pythons() -> None:
    marker = "sys_platform == 'darwin' and python_version < '3.11' or sys_platform != 'darwin'"
    mask = lock_marker.mask(marker, frozenset())

    assert [where.marker for where in lock_marker.places(mask, lock_marker.EVERYWHERE)] == [
        "",
        "python_version < '3.11'",
    ]


@pytest.mark.parametrize(
    ("path", "text", "form"),
    [
        ("uv.lock", "version = 1\n", "uv_lock"),
        ("repository__uv.lock", "version = 1\n", "uv_lock"),
        ("nouv.lock", "version = 1\n", ""),
        ("sub/poetry.lock", "# by poetry\n[[package]]\n", "poetry_lock"),
        ("pylock.toml", "[[packages]]\n", "pylock_toml"),
        ("pylock.gpu.toml", "[[packages]]\n", "pylock_toml"),
        ("Cargo.lock", "[[package]]\n", ""),
    ],
)
def test_a_lock_is_known_by_its_name(path: str, text: str, form: str) -> None:
    assert format_of(path, text) == form


@pytest.mark.parametrize("form", ["uv_lock", "poetry_lock", "pylock_toml"])
@pytest.mark.parametrize(
    "text",
    ["", "package = 1\npackages = 1", "[[package]]\n[[packages]]\n", "package = [1]\npackages = [1]", "[[package]]\nname = 1\n", "[package]\nname = 'x'\n", "extras = 1\nmanifest = 1\nmetadata = 1"],
)  # fmt: skip
def test_what_is_of_another_shape_declares_nothing(form: str, text: str) -> None:
    manifest = read_or_refused(form, "x.lock", text)

    assert manifest is not None
    assert manifest.declared == ()


def test_what_is_no_toml_is_an_error_with_its_line_behind_lists_of_files() -> None:
    with pytest.raises(ManifestError) as caught:
        uv(f"[[package]]\n{FILES}name = \n")

    assert caught.value.line == 7


def test_more_extras_than_any_project_has_are_left_out() -> None:
    listed = "\n".join(f"x{n} = []" for n in range(200))
    manifest = uv(
        f'[[package]]\nname = "a"\nsource = {{ virtual = "." }}\n'
        f"[package.optional-dependencies]\n{listed}\n"
    )

    assert len(manifest.combinations) == lock_lines.MAX_COMBINATIONS + 1


def test_a_megabyte_is_read_soon() -> None:
    wheel = '    {{ url = "https://files.pythonhosted.org/packages/p{0}-cp311-{1}.whl", hash = "sha256:{1:064}" }},\n'
    packages = (
        f'[[package]]\nname = "p{n}"\nversion = "1.{n}"\n'
        'source = { registry = "https://pypi.org/simple" }\ndependencies = [\n'
        + "".join(
            f"    {{ name = \"p{(n * 7 + k) % 300}\", marker = \"sys_platform == 'linux' and extra == 'x{k}'\" }},\n"
            for k in range(5)
        )
        + "]\nwheels = [\n"
        + "".join(wheel.format(n, k) for k in range(18))
        + "]\n\n"
        for n in range(300)
    )
    text = "".join(packages)
    start = time.process_time()

    manifest = uv(text)

    assert (len(text) > 900_000, len(manifest.declared)) == (True, 300)
    assert time.process_time() - start < 20


LOCK_LIKE = st.lists(
    st.sampled_from(
        ["[[package]]\n", "[[packages]]\n", "name = 'a'\n", "name = 'b'\n", "version = '1'\n", "source = {virtual = '.'}\n", "source = {registry = 'https://h'}\n", "dependencies = [{name = 'a'}, {name = 'b', version = '1', marker = \"extra == 'x'\", extra = ['y']}]\n", "[package.optional-dependencies]\n", "y = [{name = 'b'}]\n", "[package.dependencies]\n", "a = {markers = \"os_name == 'nt'\"}\n", "b = '*'\n", "[package.source]\n", "type = 'git'\n", "url = 'u'\n", "markers = {main = \"extra == 'y'\"}\n", "marker = \"('x' in extras\"\n", "groups = ['main', 'dev']\n", "optional = true\n", "[extras]\n", "extras = ['y']\n", "index = 'https://i'\n", "wheels = [\n", "    { url = 'u' },\n", "]\n", "files = [ 'x' ]\n", "sdist = { url = 'u' }\n", "1", "\r\n", "é\n", "resolution-markers = [\"python_version < '3'\"]\n"]
    ),
    max_size=16,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("form", ["uv_lock", "poetry_lock", "pylock_toml"])
@settings(deadline=None, max_examples=200)
@given(LOCK_LIKE)
def test_any_text_is_a_manifest_with_its_places_inside_or_an_error(form: str, text: str) -> None:
    manifest = read_or_refused(form, "x.lock", text)

    assert manifest is None or is_whole(manifest)


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(["(", ")", " and ", " or ", "os_name == 'nt'", "extra == 'a'", "'a' in extras", "x", " ", "'", "not in"]),
        max_size=20,
    ).map("".join)
)  # fmt: skip
def test_any_marker_is_decided(marker: str) -> None:
    chosen = frozenset({"extra a"})

    lock_marker.decided(marker, chosen)

    assert 0 <= lock_marker.mask(marker, chosen) <= lock_marker.EVERYWHERE


CLAUSES = st.sampled_from(
    ["os_name == 'nt'", "os_name != 'nt'", "extra == 'a'", "extra != 'a'", "'b' in extras"]
)
MARKERS = st.recursive(
    CLAUSES,
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
        lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
    ),
    max_leaves=6,
)


@settings(max_examples=200)
@given(MARKERS)
def test_what_is_left_of_a_marker_holds_where_the_marker_did(marker: str) -> None:
    chosen = frozenset({"extra a"})

    left = lock_marker.decided(marker, chosen)

    assert left is None or ("extra" not in left)
    mask = lock_marker.mask(marker, chosen)
    assert mask == (0 if left is None else lock_marker.mask(left, frozenset()))
