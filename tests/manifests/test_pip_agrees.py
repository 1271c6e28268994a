"""What pip's own reader makes of the same lines: the reference that envfix is held against."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED

from reconciler.collect import manifest_files
from reconciler.manifests import pip_options, pip_required
from reconciler.manifests.logical_lines import logical_lines

if TYPE_CHECKING:
    from pathlib import Path

req_file = pytest.importorskip("pip._internal.req.req_file")
constructors = pytest.importorskip("pip._internal.req.constructors")
PIP = tuple(int(n) for n in pytest.importorskip("pip").__version__.split(".")[:2])

CORPUS = sorted((SHARED / "corpus" / "requirements").glob("*.txt"))
LINES = [
    "torch==1.13.1 --index-url https://h/x",
    "--extra-index-url https://h/x torch==1.11.0",
    "--pre mxnet-cu92",
    "-r a.txt -r b.txt",
    "-i a -f b -f c --extra-index-url=d -c e -e f",
    "- numpy",
    "--index-url = https://h/x",
    "--index U",
    "torch \\\n --hash=sha256:ab \\\n --hash sha256:cd",
    "torch\\\n# why\nnumpy",
    "\\torch\\\n==2\\\\\n",
    "# a \\\nb",
    "a#b\nc #d\n\t#e\\\nf",
    "-e '.[a b]' --config-settings \"a=b\"",
    "-fA",
    "--no-binary :all: --only-binary=x --no-index --prefer-binary --require-hashes",
    "--trusted-host h",
    "-i 'x",
    "--unknown",
    "--no x",
    "--pre=1",
    "torch --no-deps",
    "-U x",
    "-i",
    "a\rb",
    "a\tb -i c",
    "a -- b",
    "  -r\t'x y'  ",
]
REQUIREMENTS = [
    "torch", "torch==2.1.2+cu118", "Torch_X[a, b] >= 1, <2", "torch (>=1)", "torch===x", "torch~=1.2",
    "torch; os_name == 'nt'", "torch;", "toml=0.10.2", "==latest+cpu", "name >= 1.0 2.0",
    "numpy=1.2=py36_0", "torch=>1", "torch==1.0 # x", "'torch'", "pip install torch", "torch 1.0",
    "torch,==1", "[torch]", "{x}", "<torch>", "a==1 or b==2", "torch @ https://h/t.zip",
    "torch@https://h/t.whl ; os_name == 'nt'", "https://h/torch-1.0%2Bcu118-cp38-cp38-linux_x86_64.whl",
    "https://h/t-1-py3-none-any.whl#sha256=ab", "https://h/torch-bad.whl", "./x.whl", "t.tar.gz",
    "./torch-1.0+cu118-cp38-cp38-linux_x86_64.whl", "git+https://h/x#egg=apex", "git+https://h/x",
    "git+https://h/x#egg=a[b]", "git+ssh://git@h/x.git@v1#subdirectory=y&egg=y", "name: x", "torch==",
    "torch<>1.0", "torch==v1.0", "torch==2022c", "torch>=1.0.*", "torch>=1.0+cu118", "torch==1.0a1.b",
    "torch==latest", "_torch", "torch!", "\uff54orch", "jax[cuda12_pip]==0.4", "torch; x", "a==1;b==2",
]  # fmt: skip


def by_pip(text: str) -> list[tuple[Any, ...]]:
    """Return the number, requirement and options of each line, or that pip refuses it."""
    found: list[tuple[Any, ...]] = []
    parse = req_file.get_line_parser(None)
    for number, line in req_file.preprocess(text):
        try:
            requirement, options = parse(line)
        except req_file.OptionParsingError:
            found.append((number, "refused"))
            continue
        values = {
            "index": [options.index_url] if options.index_url else [],
            "extra-index": options.extra_index_urls or [],
            "links": options.find_links or [],
            "requirement": options.requirements or [],
            "constraint": options.constraints or [],
            "editable": options.editables or [],
        }
        found.append((number, requirement.rstrip(" "), values))
    return found


def by_envfix(text: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for logical in logical_lines(text):
        line = pip_options.take_apart(logical.text)
        if line.refused:
            found.append((logical.number, "refused"))
            continue
        values: dict[str, list[str]] = {
            use: [option.value for option in line.options if option.use == use]
            for use in ("index", "extra-index", "links", "requirement", "constraint", "editable")
        }
        values["index"] = [value for value in values["index"] if value][-1:]
        found.append((logical.number, line.requirement, values))
    return found


@pytest.mark.parametrize("text", LINES)
def test_a_line_is_taken_apart_as_pip_does(text: str) -> None:
    assert by_envfix(text) == by_pip(text)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_file_of_the_corpus_is_taken_apart_as_pip_does(path: Path) -> None:
    text = manifest_files.read_text(str(path))

    # pip from 25.3 on has no --global-option.
    assert by_envfix(text) == by_pip(text) or "--global-option" in text


PIECES = st.lists(
    st.sampled_from(
        ["torch", "==2", "\\", "\n", "\n", "\r", "#", " ", "\t", "-", "--", "--index-url", "-r", "-e", "=", "'", '"', "@", "U", ";", "é", "\x0b", "\x85", "\u2028", "--pre", "-f"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(PIECES)
def test_any_text_is_taken_apart_as_pip_does(text: str) -> None:
    ours, theirs = by_envfix(text), by_pip(text)

    # pip counts lines at characters where no editor breaks one.
    start = 1 if set(text) & set("\x0b\x85\u2028") else 0
    assert [line[start:] for line in ours] == [line[start:] for line in theirs]


@pytest.mark.parametrize("text", REQUIREMENTS)
def test_a_requirement_is_named_or_refused_as_pip_does(text: str) -> None:
    ours = pip_required.read(text)

    theirs = install_requirement(text)

    # What pip read till 24.0, versions that are none, envfix tells as what it is now.
    assert (not ours.refused) == (theirs is not None) or (ours.refused and PIP < (26, 0))
    if theirs is not None and not ours.refused:
        assert ours.name == (pip_required.normalize_name(theirs.req.name) if theirs.req else "")


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_pip_takes_what_is_declared_of_a_file_of_the_corpus(path: Path) -> None:
    text = manifest_files.read_text(str(path))
    found = [pip_options.take_apart(line.text).requirement for line in logical_lines(text)]

    refused = [r for r in found if r and not pip_required.read(r).refused and not installs(r)]

    assert [r for r in refused if set(r) - set("<=>")] == [
        r for r in refused if r.startswith(("<<<<<<<", ">>>>>>>"))
    ]


def installs(text: str) -> bool:
    return install_requirement(text) is not None


def install_requirement(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return constructors.install_req_from_line(text)
        except Exception:  # noqa: BLE001 - pip raises many kinds, and each is a refusal
            return None
