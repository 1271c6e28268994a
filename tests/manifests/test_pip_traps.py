from __future__ import annotations

from functools import partial

import pytest

from reconciler.builds.declared import pinned_version
from reconciler.manifests import pip_line, requirements_txt
from reconciler.model.manifest import FaultKind

read = partial(requirements_txt.read, "requirements.txt")

U = "https://download.pytorch.org/whl/cu118"


@pytest.mark.parametrize(
    ("text", "lost", "column", "better"),
    [
        (f"torch==2.1.2 --index-url {U}", f"--index-url {U}", 14, f"--extra-index-url {U}"),
        (f"torch --extra-index-url={U}", f"--extra-index-url={U}", 7, f"--extra-index-url {U}"),
        (f"torch -f {U} --hash=sha256:ab", f"-f {U}", 7, f"--find-links {U}"),
        ("torch --pre", "--pre", 7, "--pre"),
        ("torch -r other.txt", "-r other.txt", 7, ""),
        ("torch --pre numpy", "numpy", 13, "numpy"),
        (f"--extra-index-url {U} torch==1.11.0", "torch==1.11.0", 58, "torch==1.11.0"),
        ("--pre mxnet-cu92", "mxnet-cu92", 7, "mxnet-cu92"),
        ("--pre torch torchvision", "torch torchvision", 7, "torch\ntorchvision"),
        ("--pre torch -- x", "x", 16, "x"),
        ("-r r.txt [--no-deps]", "[--no-deps]", 10, ""),
        ("- numpy", "- numpy", 1, "numpy"),
        ("-e . torch", "torch", 6, "torch"),
        ("-e apex @ git+https://h/apex.git", "@ git+https://h/apex.git", 9, ""),
        (f"-e . --extra-index-url {U}", f"--extra-index-url {U}", 6, f"--extra-index-url {U}"),
        ("-e . -e ./b", "-e ./b", 6, ""),
        ("-r a.txt -r b.txt", "-r b.txt", 10, ""),
        ("-c a.txt -r b.txt", "-c a.txt", 1, ""),
        (f"-r a.txt -i {U}", f"-i {U}", 10, f"--extra-index-url {U}"),
        ("-f https://a -f https://b", "-f https://b", 14, "--find-links https://b"),
        ("--hash=sha256:ab", "--hash=sha256:ab", 1, ""),
    ],
)
def test_what_pip_loses_of_a_line_is_told_at_its_place(
    text: str, lost: str, column: int, better: str
) -> None:
    (fault,) = [f for f in read(text).faults if f.text == lost]

    assert (fault.kind, fault.column, fault.better) == (FaultKind.OPTION_LOST, column, better)


def test_an_equal_sign_between_option_and_url_loses_the_url() -> None:
    manifest = read(f"--index-url = {U}")

    assert manifest.declared == ()
    assert [fault.why for fault in manifest.faults] == [
        "pip takes = for the value of --index-url",
        f"pip reads --index-url = and drops {U} behind it",
    ]


def test_what_is_lost_is_not_declared() -> None:
    text = f"torch==2.1.2 --index-url {U}\n-r a.txt -r b.txt\n-e . --extra-index-url {U}\n"

    assert [d.text for d in read(text).declared] == ["torch==2.1.2", "-r a.txt", "-e ."]


@pytest.mark.parametrize(
    "text",
    [
        "torch --hash=sha256:ab --config-settings a=b",
        f"-i {U} --trusted-host h --no-index --no-binary :all: --only-binary=x --prefer-binary",
        "--pre --require-hashes",
        "-e . --config-settings a=b",
        "torch==2.1.2+cu118",
        "torch; ",
        "a/b",
        "-e git+https://h/x@{{ tag }}",
    ],
)
def test_what_pip_reads_whole_is_no_fault(text: str) -> None:
    assert read(text).faults == ()


@pytest.mark.parametrize(
    ("text", "why", "better"),
    [
        ("toml=0.10.2", "= is conda's operator", "toml==0.10.2"),
        ("jax[cuda] = 0.4", "= is conda's operator", "jax[cuda]==0.4"),
        ("toml=1 ; os_name == 'nt'", "= is conda's operator", "toml==1 ; os_name == 'nt'"),
        ("==latest+cpu", "no name stands", ""),
        ("torch==latest+cpu", "latest+cpu is no version", ""),
        ("name >= 1.0 2.0", "expected comma", ""),
        ("numpy=1.2=py36_0", "written for conda", ""),
        ("pytorch::pytorch=1.10", "written for conda", ""),
        ("numpy 1.2", "no operator stands", ""),
        ("numpy=>1.2", "=> and =< are no operators", "numpy>=1.2"),
        ("numpy=>x", "x is no version", ""),
        ("transformers>=4.6.*", "goes only with == and !=", "transformers>=4.6"),
        ("transformers>4.6.*", "goes only with == and !=", ""),
        ("torch>=2.1+cu118", "a local label goes only", ""),
        ("'torch==2'", "pip refuses the quotes", "torch==2"),
        ('"torch=="', "pip refuses the quotes", ""),
        ("pip install torch", "a command", "torch"),
        ("pip install torch torchvision", "a command", ""),
        ("dependencies:", "is YAML", ""),
        ("torch[>1", "expected", ""),
        ("torch; what", "pip refuses its marker: expected", ""),
        ("torch-2.1.whl", "torch-2.1.whl is no name of a wheel", ""),
        ("git+https://h/x#egg=a[b]", "egg=a[b]", "a[b] @ git+https://h/x"),
        ("-e git+https://h/x#egg", "without its name", ""),
        ("-r requirements\\gpu.txt", "drops each backslash", "-r requirements/gpu.txt"),
        ("torch --no-deps", "pip knows no option --no-deps in a file", "torch"),
        ("--no-deps", "it belongs on the command line", ""),
        ("-U torch", "pip knows no option -U in a file", ""),
        ("--unknown", "pip knows no option --unknown", ""),
        ("--no x", "--no is ambiguous", ""),
        ("--pre=1", "--pre takes no value", ""),
        ("--index-url", "--index-url lacks its value", ""),
        ("-i", "-i lacks its value", ""),
        ("-i 'https://h", "is not closed", ""),
        ("torch --global-option=x", "pip from 25.3 on refuses", ""),
        ("torch --install-option=x", "pip from 23.1 on refuses", ""),
    ],
)
def test_what_pip_refuses_is_told_in_words(text: str, why: str, better: str) -> None:
    (fault,) = read(text).faults

    assert (fault.kind, fault.better) == (FaultKind.BROKEN, better)
    assert why in fault.why


def test_a_single_text_declares_one_thing_or_nothing() -> None:
    found = pip_line.declared("torch==2", path="Dockerfile", line=3, column=9)

    assert found is not None
    assert (found.path, found.name, found.line, found.column) == ("Dockerfile", "torch", 3, 9)
    assert pip_line.declared("--pre", path="Dockerfile", line=3, column=9) is None


def test_a_mistake_that_is_the_form_of_the_file_is_told_once() -> None:
    text = "torch\n" + "".join(f"- package{n}\n" for n in range(9))

    (fault,) = read(text).faults

    assert (fault.text, fault.line) == ("- package0", 2)
    assert fault.why.endswith("the same holds for 8 lines behind it, down to line 10")


def test_a_few_mistakes_are_told_one_by_one() -> None:
    assert [f.line for f in read("a=1\nb=1\nc\nd=1\n").faults] == [1, 2, 4]


def test_many_lost_options_are_told_once_whatever_their_names() -> None:
    text = "".join(f"package{n}==1 --index-url {U}\n" for n in range(9))

    assert [f.line for f in read(text).faults] == [1]


CONFLICT = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> main\nd\n<<<<<<< HEAD\ne\n"


def test_each_unfinished_merge_is_a_fault_and_the_other_lines_are_read() -> None:
    manifest = read(CONFLICT)

    assert [d.name for d in manifest.declared] == ["a", "b", "c", "d", "e"]
    assert [(f.kind, f.line, f.text) for f in manifest.faults] == [
        (FaultKind.CONFLICT, 2, "<<<<<<< HEAD"),
        (FaultKind.CONFLICT, 8, "<<<<<<< HEAD"),
    ]
    assert "lines 2 to 6" in manifest.faults[0].why


def test_the_end_of_a_merge_alone_is_a_fault_as_well() -> None:
    (fault,) = read("a\n=======\nb\n>>>>>>> main\n").faults

    assert (fault.line, fault.text) == (4, ">>>>>>> main")


def test_an_environment_file_under_a_name_of_pip_is_read_as_what_it_is() -> None:
    manifest = read("# why\nname: x\ndependencies:\n  - numpy=1.2\n  - pip:\n    - torch\n")

    assert [(d.section, d.text) for d in manifest.declared] == [
        ("conda", "numpy=1.2"),
        ("pip", "torch"),
    ]
    assert [(f.kind, f.line) for f in manifest.faults] == [(FaultKind.UNREADABLE, 2)]


@pytest.mark.parametrize(
    ("path", "text", "platforms"),
    [
        ("requirements-win.txt", "torch", ("win-64",)),
        ("requirements.txt", "torch\npywin32==306", ("win-64",)),
        ("requirements.txt", "pywin32; sys_platform == 'win32'", ()),
        ("requirements-cuda.txt", "torch", ()),
    ],
)
def test_a_file_says_for_which_platforms_it_is(
    path: str, text: str, platforms: tuple[str, ...]
) -> None:
    assert requirements_txt.read(path, text).platforms == platforms


@pytest.mark.parametrize(
    "text",
    [
        "https://h/torch-2.1.0%2Bcu118-cp311-cp311-linux_x86_64.whl",
        "./wheels/torch-2.1.0+cu118-cp311-cp311-linux_x86_64.whl ; os_name == 'posix'",
        "torch-2.1.0+cu118-cp311-cp311-linux_x86_64.whl",
        "C:\\wheels\\torch-2.1.0+cu118-cp311-cp311-win_amd64.whl",
        "torch @ https://h/torch-2.1.0+cu118-cp311-cp311-linux_x86_64.whl#sha256=ab",
        "torch[x] @ https://h/torch-2.1.0+cu118-cp311-cp311-linux_x86_64.whl",
    ],
)
def test_the_version_of_a_wheel_is_that_of_its_file_name(text: str) -> None:
    (line,) = read(text).declared

    assert pinned_version(line) == "2.1.0+cu118"


def test_the_version_of_a_repository_is_not_known() -> None:
    (line,) = read("torch @ git+https://h/torch@v2.1").declared

    assert not pinned_version(line)
