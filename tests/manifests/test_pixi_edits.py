from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from manifest_editing import add, add_explicit, edited, remove, replace

from reconciler.model.manifest import IndexRole, Kind, Section

if TYPE_CHECKING:
    from manifest_editing import Ask

edit = partial(edited, "pixi_toml", "pixi.toml")
CU118 = "https://download.pytorch.org/whl/cu118"

PIXI = f"""\
[workspace]
channels = ["pytorch", {{ channel = "nvidia" }}, "conda-forge"]
platforms = ["linux-64"]

[system-requirements]
cuda = "12.0"
libc = "2.28"

[activation.env]
LD_LIBRARY_PATH = "$CONDA_PREFIX/lib" # why
OTHER = "x"

[dependencies]
python = "3.12.*"
pytorch = {{ version = "2.1.2", build = "py3.12_cuda*", channel = "pytorch" }}
numpy = ">=2, <2.4"  # for vllm

[dependencies.cupy]
version = "*"
channel = "conda-forge"

[pypi-dependencies]
torch = "==2.1.0"
apex = {{ version = "*", index = "{CU118}", extras = ["all"] }}

[feature.gpu]
channels = ["bioconda"]

[feature.gpu.target.linux-64.dependencies]
cuda-version = "12.1"

[feature.gpu.system-requirements]
cuda = {{ driver = "12" }}

[environments]
gpu = ["gpu"]
"""
WORKSPACE = "pixi workspace"


def conda(text: str, *, scope: str = "", after: str = "") -> Ask:
    return add(text, scope=scope, after=after)


def pip(text: str, *, scope: str = "", after: str = "") -> Ask:
    return add(text, section=Section.PIP, scope=scope, after=after)


def index(url: str, role: IndexRole, *, scope: str = "") -> Ask:
    return add(url, section=Section.PIP, kind=Kind.INDEX, role=role, scope=scope)


def channel(name: str, *, scope: str = WORKSPACE, after: str = "") -> Ask:
    return add(name, kind=Kind.CHANNEL, scope=scope, after=after)


def variable(text: str) -> Ask:
    return add(text, section=Section.SHELL, kind=Kind.VARIABLE)


PYTORCH = "pytorch::pytorch 2.1.2 py3.12_cuda*"


@pytest.mark.parametrize(
    ("asks", "old", "new"),
    [
        # What goes.
        ([remove("python 3.12.*")], 'python = "3.12.*"\n', ""),
        ([remove("conda-forge::cupy")], '\n[dependencies.cupy]\nversion = "*"\nchannel = "conda-forge"\n', ""),
        ([remove("apex[all]")], f'apex = {{ version = "*", index = "{CU118}", extras = ["all"] }}\n', ""),
        ([remove("apex[all]"), remove(CU118)], f'apex = {{ version = "*", index = "{CU118}", extras = ["all"] }}\n', ""),
        ([remove(CU118)], f' index = "{CU118}",', ""),
        ([remove("pytorch")], '"pytorch", {', "{"),
        ([remove("conda-forge")], ', "conda-forge"', ""),
        ([remove("LD_LIBRARY_PATH=$CONDA_PREFIX/lib")], 'LD_LIBRARY_PATH = "$CONDA_PREFIX/lib" # why\n', ""),
        ([remove("__cuda >=12.0")], 'cuda = "12.0"\n', ""),
        # What changes.
        ([replace("numpy >=2, <2.4", "numpy >=2,<3")], '">=2, <2.4"', '">=2,<3"'),
        ([replace("numpy >=2, <2.4", "numpy")], '">=2, <2.4"', '"*"'),
        ([replace("numpy >=2, <2.4", "numpy=2.1")], '">=2, <2.4"', '"2.1.*"'),
        ([replace("python 3.12.*", "python 3.12.1")], '"3.12.*"', '"3.12.1"'),
        ([replace("numpy >=2, <2.4", "numpy-base >=2, <2.4")], "numpy =", "numpy-base ="),
        ([replace("numpy >=2, <2.4", "conda-forge::numpy 2.1.0 py*")], '">=2, <2.4"', '{ version = "==2.1.0", build = "py*", channel = "conda-forge" }'),
        ([replace(PYTORCH, "pytorch::pytorch 2.2.0 py3.12_cuda*")], '"2.1.2"', '"2.2.0"'),
        ([replace(PYTORCH, "pytorch::pytorch 2.1.2")], ' build = "py3.12_cuda*",', ""),
        ([replace(PYTORCH, "pytorch 2.1.2")], ', build = "py3.12_cuda*", channel = "pytorch"', ""),
        ([replace(PYTORCH, "pytorch-gpu")], 'pytorch = { version = "2.1.2", build = "py3.12_cuda*", channel = "pytorch" }', 'pytorch-gpu = { version = "*" }'),
        ([replace("conda-forge::cupy", "nvidia::cupy")], 'channel = "conda-forge"\n', 'channel = "nvidia"\n'),
        ([replace("conda-forge::cupy", "cupy")], 'channel = "conda-forge"\n', ""),
        ([replace("conda-forge::cupy", "conda-forge::cupy 13.0 py*")], '"*"\nchannel = "conda-forge"\n', '"==13.0"\nchannel = "conda-forge"\nbuild = "py*"\n'),
        ([replace("cuda-version 12.1", "cuda-version 12.4")], '"12.1"', '"12.4"'),
        ([replace("torch==2.1.0", "torch==2.2.0")], '"==2.1.0"', '"==2.2.0"'),
        ([replace("apex[all]", "apex[all]>=1")], 'apex = { version = "*"', 'apex = { version = ">=1"'),
        ([replace("__cuda >=12.0", "__cuda >=12.4")], '"12.0"', '"12.4"'),
        ([replace("__cuda >=12", "__cuda >=13")], 'driver = "12"', 'driver = "13"'),
        ([replace("nvidia", "nvidia/label/cuda-12.4.0")], 'channel = "nvidia"', 'channel = "nvidia/label/cuda-12.4.0"'),
        ([replace("pytorch", "conda-forge/label/x")], '["pytorch"', '["conda-forge/label/x"'),
        ([replace("OTHER=x", "OTHER=y=z")], 'OTHER = "x"', 'OTHER = "y=z"'),
        ([replace(CU118, "https://h")], CU118, "https://h"),
        # What comes.
        ([conda("a"), conda("b 1.0")], "for vllm\n", 'for vllm\na = "*"\nb = "==1.0"\n'),
        ([conda("nvidia::a=1.0=cuda*", after="python 3.12.*")], '"3.12.*"\n', '"3.12.*"\na = { version = "==1.0", build = "cuda*", channel = "nvidia" }\n'),
        ([conda("a", scope="feature gpu", after="cuda-version 12.1")], '"12.1"\n', '"12.1"\na = "*"\n'),
        ([conda("a", scope="feature gpu")], 'driver = "12" }\n', 'driver = "12" }\n\n[feature.gpu.dependencies]\na = "*"\n'),
        ([pip("a", after="python 3.12.*")], '["all"] }\n', '["all"] }\na = "*"\n'),
        ([pip("a>=1; os_name == 'nt'")], '["all"] }\n', '["all"] }\na = { version = ">=1", env-markers = "os_name == \'nt\'" }\n'),
        ([pip("a", scope="feature gpu")], 'driver = "12" }\n', 'driver = "12" }\n\n[feature.gpu.pypi-dependencies]\na = "*"\n'),
        ([channel("a")], '["pytorch"', '["a", "pytorch"'),
        ([channel("a", after="nvidia")], '"nvidia" },', '"nvidia" }, "a",'),
        ([channel("a", scope="feature gpu", after="pytorch")], '["bioconda"]', '["a", "bioconda"]'),
        ([variable("CUDA_HOME=$CONDA_PREFIX")], 'OTHER = "x"\n', 'OTHER = "x"\nCUDA_HOME = "$CONDA_PREFIX"\n'),
        ([variable("A B=x")], 'OTHER = "x"\n', 'OTHER = "x"\n"A B" = "x"\n'),
        # Indexes.
        ([add_explicit(CU118, "torch==2.1.0")], '"==2.1.0"', f'{{ version = "==2.1.0", index = "{CU118}" }}'),
        ([replace("torch==2.1.0", "torch==2.2.0"), add_explicit(CU118, "torch==2.1.0")], '"==2.1.0"', f'{{ version = "==2.2.0", index = "{CU118}" }}'),
        ([index("https://h", IndexRole.EXTRA)], '["gpu"]\n', '["gpu"]\n\n[pypi-options]\nextra-index-urls = ["https://h"]\n'),
        ([index("https://h", IndexRole.DEFAULT)], '["gpu"]\n', '["gpu"]\n\n[pypi-options]\nindex-url = "https://h"\n'),
        ([index("https://h", IndexRole.LINKS, scope="feature gpu")], 'driver = "12" }\n', 'driver = "12" }\n\n[feature.gpu.pypi-options]\nfind-links = [{ url = "https://h" }]\n'),
    ],
)  # fmt: skip
def test_an_edit_changes_no_other_words(asks: list[Ask], old: str, new: str) -> None:
    assert edit(PIXI, *asks) == (PIXI.replace(old, new, 1), [])


def test_options_that_are_there_are_added_to() -> None:
    text = "[pypi-options]\nextra-index-urls = ['https://a']\nfind-links = [{ path = './x' }]\n"

    out = edit(text, index("https://b", IndexRole.EXTRA), index("https://c", IndexRole.LINKS))

    assert out == (
        text.replace("'https://a'", "'https://a', 'https://b'").replace(
            "{ path = './x' }", "{ path = './x' }, { url = \"https://c\" }"
        ),
        [],
    )


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("dependencies = {}\n", 'dependencies = { a = "*" }\n'),
        ('dependencies = { b = "*" }\n', 'dependencies = { b = "*", a = "*" }\n'),
        ("[dependencies]\n", '[dependencies]\na = "*"\n'),
        ("[dependencies] # none", '[dependencies] # none\na = "*"'),
        ("", '[dependencies]\na = "*"\n'),
        ('  [dependencies]\n  b = "*"\n', '  [dependencies]\n  b = "*"\n  a = "*"\n'),
        ("[dependencies]\n# b\n[x]\n", '[dependencies]\na = "*"\n# b\n[x]\n'),
        ('[workspace]\nname = "x"\n# name = "y"\n\n# of tasks\n[tasks]\n', '[workspace]\nname = "x"\n# name = "y"\n\n# of tasks\n[tasks]\n\n[dependencies]\na = "*"\n'),
        ('["dependencies"]\n', '["dependencies"]\na = "*"\n'),
    ],
)  # fmt: skip
def test_a_first_requirement_has_its_table(text: str, out: str) -> None:
    assert edit(text, conda("a")) == (out, [])


@pytest.mark.parametrize(
    ("text", "ask", "why"),
    [
        (PIXI, replace(PYTORCH, "pytorch 2.1.2[md5=d41d8cd98f00b204e9800998ecf8427e]"), "of a requirement in a table, only version, build, and channel change"),
        (PIXI, replace(PYTORCH, "a b c d ="), "a b c d = is no spec of conda: "),
        (PIXI, replace("apex[all]", "apex>=1"), "of a requirement in a table, only name and version are replaced"),
        (PIXI, replace("apex[all]", "apex @ https://h/a.zip"), "apex @ https://h/a.zip is not a name with a version"),
        (PIXI, replace("__cuda >=12.0", "__cuda ==12.4"), "system requirements name the least version alone"),
        (PIXI, replace("OTHER=x", "THIRD=x"), "THIRD=x is another variable than OTHER"),
        (PIXI, conda("__cuda >=12"), "__cuda >=12 has no simple form in a table of TOML"),
        (PIXI, conda("a", scope="extra x"), "extra x is in none of pixi's tables"),
        (PIXI, index("https://h", IndexRole.EXPLICIT), "pixi names an index in its own tables, at a requirement there"),
        (PIXI, add_explicit("https://h", "apex[all]"), "apex has a key index already"),
        (PIXI, add("x", kind=Kind.PYTHON, section=Section.PIP), "pixi has no place for this: python of pip"),
        ("[dependencies]\na.version = '1'\n", remove("a 1"), "it is not in one place of the file"),
        ("[dependencies]\na.version = '1'\n", replace("a 1", "x::a 1"), "dependencies.a is written in keys with dots"),
        ("[dependencies]\na.version = '1'\n", conda("b"), None),
        ("dependencies.a = '1'\n", conda("b"), "dependencies is written in keys with dots"),
        ("[pypi-dependencies]\na = { path = '.' }\n", remove("a @ file:."), None),
        ("[pypi-dependencies]\na = { git = 'https://h/a', x.y = 1 }\n", add_explicit("https://h", "a @ git+https://h/a"), "a table in braces has keys with dots"),
        ("[dependencies]\na = {channel = 'x'}\n", replace("x::a", "x::a 2"), None),
        ("[dependencies]\na = {channel = 'x'}\n", replace("x::a", "y::a"), None),
        ("[dependencies]\na = {}\n", replace("a", "a 2"), "a has no version that could be replaced"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_held_back(text: str, ask: Ask, why: str | None) -> None:
    out = edit(text, ask)

    assert [held.startswith(why or "?") for held in out.held] == [True] * bool(why), out
    assert (out.text == text) == bool(why)


def test_tables_over_several_lines_are_edited_too() -> None:
    text = '[dependencies]\na = {\n  version = "1", # why\n  channel = "x"\n}\n'

    assert edit(text, replace("x::a 1", "x::a 2")) == (text.replace('"1"', '"2"'), [])
    assert edit(text, remove("x::a 1")) == ("[dependencies]\n", [])


def test_pixi_s_tables_of_a_pyproject_are_edited_as_those_of_a_pixi_toml() -> None:
    text = """\
[project]
name = "x"
dependencies = ["torch==2.1.0+cu118"]

[tool.pixi.workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]

[tool.pixi.pypi-dependencies]
x = { path = "." }
"""
    in_pyproject = partial(edited, "pyproject_toml", "pyproject.toml")

    out = in_pyproject(
        text, conda("cuda-version 12.1", scope="pixi"), index(CU118, IndexRole.EXTRA, scope="pixi")
    )

    assert out.held == []
    assert out.text == text + (
        '\n[tool.pixi.dependencies]\ncuda-version = "==12.1"\n'
        f'\n[tool.pixi.pypi-options]\nextra-index-urls = ["{CU118}"]\n'
    )
    assert in_pyproject(text, add_explicit(CU118, "torch==2.1.0+cu118")).held == [
        "what the project requires is in none of pixi's tables"
    ]
