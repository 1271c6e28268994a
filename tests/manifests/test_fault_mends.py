"""Faults that are mended in the text: what is held back, and what comes out."""

import textwrap

import pytest

from reconciler import manifests
from reconciler.manifests import rewriting
from reconciler.manifests.rewriting import apply_splices
from reconciler.model.fix import Mend, Replace


def read(name, text):
    text = textwrap.dedent(text)
    return manifests.read(manifests.format_of(name, text), name, text)


def mended(name, text):
    """Return a file with all of its faults mended, and why some are not."""
    manifest = read(name, text)
    edits = [Mend(path=name, fault=fault) for fault in manifest.faults]
    made = rewriting.rewrite(manifest, edits)
    return apply_splices(manifest.text, made.splices), [why for _, why in made.held]


def test_each_fault_of_a_file_is_mended_with_its_line_ends_and_comments():
    text = "torch = 2.1.2 # why\r\n--pre scipy  # early\r\n  numpy --pre\r\n- attrs"

    assert mended("requirements.txt", text) == (
        "torch==2.1.2 # why\r\n--pre  # early\r\nscipy\r\n  --pre\r\n  numpy\r\nattrs",
        [],
    )


def test_several_words_behind_an_option_get_a_line_each():
    text = "--extra-index-url https://example.org/simple torch numpy\n"

    assert mended("requirements.txt", text) == (
        "--extra-index-url https://example.org/simple\ntorch\nnumpy\n",
        [],
    )


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        pytest.param(
            "requirements.txt",
            "torch==latest\n",
            "only you can know what line 1 is to say",
            id="nobody knows the version",
        ),
        pytest.param(
            "requirements.txt",
            "--pre \\\n  torch\n",
            "line 2 is one of several that a backslash joins",
            id="a joined line",
        ),
        pytest.param(
            "environment.yml",
            "dependencies: [pip, {pip: [--pre torch]}]\n",
            "line 1 holds more than one item",
            id="a list in brackets",
        ),
        pytest.param(
            "environment.yml",
            'dependencies:\n- pip\n- pip:\n  - "toml\\x3d0.10"\n',
            "line 4 does not hold 'toml=0.10' as it is read",
            id="a text that YAML escapes",
        ),
        pytest.param(
            "environment.yml",
            "dependencies:\n- {pip: [torch]}\n- pip:\n  - numpy\n",
            "the pip sections of lines 2 and 3 are not alike",
            id="a section in brackets",
        ),
        pytest.param(
            "environment.yml",
            "dependencies:\n- pip:\n  - torch = 2.1\n- pip:\n  - numpy\n",
            "the file would be at fault afterwards: pip refuses it: = is conda's operator, pip's is ==",
            id="a section whose lines have faults",
        ),
    ],
)
def test_what_is_not_certain_is_held_back(name, text, why):
    assert mended(name, text) == (text, [why])


def test_the_items_of_a_lost_section_stand_as_those_of_the_last_one():
    text = """\
        dependencies:
          - pip
          - pip:
              - torch==2.1.2  # why
          - pip:
            - numpy
    """

    after, held = mended("environment.yml", text)

    assert held == []
    assert after == textwrap.dedent(text).replace("  - pip:\n      - torch", "@").replace(
        "@==2.1.2  # why\n  - pip:\n", "  - pip:\n    - torch==2.1.2  # why\n"
    )


def test_a_section_whose_lines_have_faults_stays_where_the_last_one_has_some_too():
    text = "dependencies:\n- pip:\n  - torch = 2.1\n- pip:\n  - toml = 0.10\n"

    assert mended("environment.yml", text) == (
        text.replace("toml = 0.10", "toml==0.10"),
        ["the file would be at fault afterwards, at 'torch = 2.1'"],
    )


def test_a_mend_and_an_edit_of_one_line_are_not_made_together():
    manifest = read("requirements.txt", "numpy --pre\n")
    (line,), (fault,) = manifest.declared, manifest.faults
    edits = [Replace(line=line, text="numpy"), Mend(path=manifest.path, fault=fault)]

    made = rewriting.rewrite(manifest, edits)

    assert [why for _, why in made.held] == ["two edits change the same words"]
    assert made.manifest.text == "numpy\n"
