"""Whatever lies in an environment: a gap, a finding or one line; never a traceback or a hang."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from collect.trees import PYTHON_RECORD, SITE, conda_prefix, dist_info, write

from reconciler.pipeline import load_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHECKOUT = Path(__file__).resolve().parents[1]
TIMEOUT = 20
FAULT = "DUP105"
HUGE = 20 << 20

pytestmark = pytest.mark.skipif(os.name == "nt", reason="FIFOs and names that are not UTF-8")


def environment(folder: Path) -> Path:
    """Write a prefix with one real fault: two CuPys, the second installed over the first."""
    prefix = conda_prefix(folder, PYTHON_RECORD)
    for name in ("cupy-cuda11x", "cupy-cuda12x"):
        record = f"cupy/__init__.py,,0\n{name}-13.6.0.dist-info/RECORD,,\n"
        dist_info(prefix, name, "13.6.0", RECORD=record, INSTALLER="pip\n")
    write(prefix, {f"{SITE}/cupy/__init__.py": ""})
    return prefix


def scan(
    *arguments: str | Path, home: Path, before: Callable[[], None] | None = None, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run ``envfix scan`` as its own process, which has 20 seconds."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", "scan", *map(os.fspath, arguments)],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "HOME": os.fspath(home), **variables},
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
        preexec_fn=before,
    )


def report_of(
    prefix: Path, project: Path, *, finds: str | None = FAULT, **variables: str
) -> Mapping[str, Any]:
    """Scan, hold the text to what every report keeps, and return the report as JSON."""
    project.mkdir(exist_ok=True)
    home = project.parent / "home"
    home.mkdir(exist_ok=True)
    told = home.parent / "report.json"
    saved = home.parent / "saved.json"
    options = ("-p", prefix, "--report", f"json={told}", "--save-snapshot", saved)
    done = scan(project, *options, home=home, **variables)
    assert b"Traceback" not in done.stdout + done.stderr, done.stderr.decode()
    assert done.stderr == b""
    assert not {*done.stdout.decode()} & {*map(chr, range(32)), "\x7f", "\x9b"} - {"\n"}
    assert load_snapshot(saved.read_bytes(), where="saved.json").asked
    report: Mapping[str, Any] = json.loads(told.read_bytes())
    assert report["crashes"] == []
    assert finds is None or finds in set(codes(report["findings"]))
    assert done.returncode == (1 if finds else done.returncode & 1)
    return report


def codes(findings: list[dict[str, Any]]) -> list[str]:
    return [code for f in findings for code in (f["code"], *codes(f.get("symptoms", [])))]


def gaps(report: Mapping[str, Any]) -> set[str]:
    return {gap["item"] for gap in report["gaps"] if gap.get("item")}


def damaged(path: str, content: bytes | None) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if content is None:
            os.mkfifo(target)
        else:
            target.write_bytes(content)

    return damage


def linked(path: str, to: str) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(to)

    return damage


def folder(path: str) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        (root / path).unlink(missing_ok=True)
        (root / path).mkdir(parents=True)

    return damage


INFO = f"prefix/{SITE}/numpy-1.26.4.dist-info"
METADATA = b"Metadata-Version: 2.1\nName: numpy\nVersion: 1.26.4\n"
TORCH_METADATA = b"Metadata-Version: 2.1\nName: torch\nVersion: 2.1.2\n"
TORCH_RECORD = b"torch/version.py,,\ntorch/lib/libc10_cuda.so,,\n"
OF_CONDA = "prefix/conda-meta/numpy-1.26.4-0.json"
#: Every file that a collector opens, by its path below the folder of a test.
READ = [
    OF_CONDA,
    "prefix/conda-meta/state",
    "prefix/conda-meta/pinned",
    "prefix/conda-meta/frozen",
    "prefix/conda-meta/history",
    "prefix/etc/conda/env_vars.d/a.json",
    "prefix/etc/conda/activate.d/a.sh",
    "prefix/etc/conda/deactivate.d/a.sh",
    "prefix/pyvenv.cfg",
    "prefix/pip.conf",
    "prefix/lib/python3.11/EXTERNALLY-MANAGED",
    "prefix/share/jupyter/kernels/python3/kernel.json",
    "prefix/lib/libcudart.so.12",
    f"prefix/{SITE}/torch/version.py",
    f"prefix/{SITE}/torch/lib/libc10_cuda.so",
    f"prefix/{SITE}/cupy/.data/_wheel.json",
    f"prefix/{SITE}/leads.pth",
    f"prefix/{SITE}/old-1.0.egg-info",
    f"prefix/{SITE}/older-1.0.egg-info/PKG-INFO",
    f"{INFO}/METADATA",
    f"{INFO}/RECORD",
    f"{INFO}/INSTALLER",
    f"{INFO}/REQUESTED",
    f"{INFO}/direct_url.json",
    "project/environment.yml",
    "project/requirements.txt",
    "home/.config/pip/pip.conf",
    "home/.pip/pip.conf",
    "home/.local/share/jupyter/kernels/python3/kernel.json",
    f"home/.local/{SITE}/numpy-1.26.4.dist-info/METADATA",
    f"home/.local/{SITE}/leads.pth",
    "home/.conda/environments.txt",
    "cuda/version.json",
    "cuda/include/cudnn_version.h",
]
DEEP = b"[" * 200_000
GARBAGE = bytes(range(256)) * 64
CONTENTS: Mapping[str, bytes] = {
    "empty": b"",
    "garbage": GARBAGE,
    "NUL bytes": b"\x00" * 4096,
    "deeply nested": DEEP,
    "deeply nested YAML": b"dependencies: " + b"[" * 3000 + b"]" * 3000,
    "a truncated object": b'{"name": "numpy", "version": "1.26.4", "files": ["lib/',
    "a number": b"7",
    "a list of wrong things": b'[{}, null, 1e999, -5, "\\ud800", [[]]]',
    "one endless line": b"a" * (3 << 20),
    "many lines": b"\n" * (1 << 20),
    "many spaces": b" " * (1 << 20),
    "many definitions": b"#define CUDNN_MAJOR\n" * (1 << 16),
    "many settings": b"[global]\nname = 'cuda = x\n" * (1 << 16),
}
KINDS: Mapping[str, Callable[[str], Callable[[Path], None]]] = {
    "a FIFO": lambda path: damaged(path, None),
    "a device": lambda path: linked(path, "/dev/zero"),
    "a directory": folder,
    "a link to itself": lambda path: linked(path, os.path.basename(path)),
    **{name: (lambda path, text=text: damaged(path, text)) for name, text in CONTENTS.items()},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_that_is_read_may_be_anything(kind: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    whole_distribution = {f"{INFO}/METADATA": METADATA}
    whole_distribution |= {f"prefix/{SITE}/torch-2.1.2.dist-info/METADATA": TORCH_METADATA}
    write(
        tmp_path,
        {**whole_distribution, f"prefix/{SITE}/torch-2.1.2.dist-info/RECORD": TORCH_RECORD},
    )
    for path in READ:
        KINDS[kind](path)(tmp_path)

    report = report_of(
        prefix,
        tmp_path / "project",
        CUDA_HOME=str(tmp_path / "cuda"),
        PYTHONPATH=str(tmp_path / "home" / ".local" / SITE),
    )

    assert report["target"]["kind"] == "conda"


@pytest.mark.parametrize("path", READ)
def test_no_file_that_is_read_is_waited_for(path: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    write(tmp_path, {f"{INFO}/METADATA": METADATA})
    damaged(path, None)(tmp_path)

    report_of(prefix, tmp_path / "project", CUDA_HOME=str(tmp_path / "cuda"))


WRONG_RECORDS: Mapping[str, object] = {
    "name is a number": {"name": 5, "version": "1.0"},
    "files is an object": {"name": "numpy", "version": "1.0", "files": {"lib": 1}},
    "files are numbers": {"name": "numpy", "version": "1.0", "files": [1, 2]},
    "depends is a text": {"name": "numpy", "version": "1.0", "depends": "python"},
    "version is null": {"name": "numpy", "version": None},
    "half a surrogate pair": {"name": "numpy\ud800", "version": "1.0"},
    "a list": [],
    "null": None,
}


@pytest.mark.parametrize("wrong", WRONG_RECORDS)
def test_a_record_of_wrong_types_is_a_gap_of_that_record(wrong: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    write(tmp_path, {OF_CONDA: json.dumps(WRONG_RECORDS[wrong])})

    report = report_of(prefix, tmp_path / "project")

    is_readable = wrong == "half a surrogate pair"
    assert ("conda-meta/numpy-1.26.4-0.json" in gaps(report)) is not is_readable


ODD_RECORDS: Mapping[str, dict[str, Any]] = {
    "depends is null": {"depends": None, "constrains": None, "files": None},
    "a channel that is an object": {"channel": {"name": "x"}},
    "specs that are none": {"depends": ["", " ", ">=", "cuda-version >=,<", "a\x00b", "[[["]},
    "files that lead outside": {
        "files": ["../../etc/passwd", "/etc/passwd", "", ".", "a\nb\x1b[2J"]
    },
    "paths_data of wrong types": {"paths_data": {"paths": [{"size_in_bytes": -1}, 5, None]}},
    "sizes below zero": {
        "files": ["a"],
        "size": -5,
        "build_number": 10**30,
        "timestamp": -(10**20),
    },
    "a version that is none": {"version": "\x1b]0;owned\x07", "build": "../../x"},
    "a subdir that is none": {"subdir": "../../etc", "noarch": 5},
}


@pytest.mark.parametrize("odd", ODD_RECORDS)
@pytest.mark.parametrize("name", ["numpy", "cudatoolkit", "cuda-version", "pytorch"])
def test_a_record_of_odd_values_blinds_nothing(odd: str, name: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    record = {"name": name, "version": "1.0", "build": "0", "subdir": "linux-64"}
    write(prefix, {f"conda-meta/{name}-1.0-0.json": json.dumps(record | ODD_RECORDS[odd])})

    report_of(prefix, tmp_path / "project")


ODD_RECORD_TEXTS: Mapping[str, bytes] = {
    "sizes that are none": b"numpy/a.py,sha256=x,-5\nnumpy/b.py,,99999999999999999999999999\n",
    "sizes in other digits": "numpy/a.py,sha256=x,\u0663\u0664\nnumpy/b.py,,\u00b2\n".encode(),
    "hashes that are none": b"numpy/a.py,sha256=,1\nnumpy/b.py,md5,1\nnumpy/c.py,=,1\n",
    "paths that lead outside": b"../../../../../../etc/passwd,,\n/dev/zero,,\n/etc/passwd,sha256=x,1\n",
    "paths of controls": b"a\x1b[2J.so,,\n\x00.so,,\n\xff\xfe.so.12,,\n",
    "quotes that never end": b'"numpy/a.py,sha256=x,1\n"",,\n",\n',
    "commas alone": b",,,,,,,,\n" * 1000,
    "one file a thousand times": b"numpy/a.py,sha256=x,1\n" * 1000,
    "a name too long": b"numpy/" + b"a" * 5000 + b".so,sha256=x,1\n",
    "a library of CUDA outside": b"../../../../../../dev/zero/libcudart.so.12,,\n/dev/libcudart.so.12,,\n",
}


@pytest.mark.parametrize("odd", ODD_RECORD_TEXTS)
@pytest.mark.parametrize("name", ["numpy", "nvidia-cuda-runtime-cu12"])
def test_a_record_of_pip_with_odd_lines_blinds_nothing(odd: str, name: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    write(prefix, {f"{SITE}/numpy/a.py": "a"})
    dist_info(prefix, name, "1.26.4", RECORD=ODD_RECORD_TEXTS[odd], INSTALLER="pip\n")

    report_of(prefix, tmp_path / "project")


ODD_METADATA: Mapping[str, bytes] = {
    "no name": b"Metadata-Version: 2.1\nVersion: 1.0\n",
    "no version": b"Metadata-Version: 2.1\nName: numpy\n",
    "no field": b"Hello, this is no METADATA.\n",
    "a name of controls": b"Name: num\x1b[2Jpy\x07\nVersion: 1.0\n",
    "a name that is not UTF-8": b"Name: num\xff\xfepy\nVersion: 1.0\xe9\n",
    "a version that is none": b"Name: numpy\nVersion: ../../x\n",
    "requirements that are none": b"Name: numpy\nVersion: 1.0\nRequires-Dist: [[[\nRequires-Dist:\n"
    b"Requires-Dist: x ; python_version == \nRequires-Dist: nvidia-cublas-cu12==; (\n",
    "a name of another directory": b"Name: cupy-cuda12x\nVersion: 1.0\n",
    "NUL bytes": b"Name: num\x00py\nVersion: 1\x00.0\n",
}


@pytest.mark.parametrize("odd", ODD_METADATA)
def test_a_metadata_that_is_odd_blinds_nothing(odd: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    dist_info(prefix, "numpy", "1.26.4", METADATA=ODD_METADATA[odd], INSTALLER="pip\n")

    report = report_of(prefix, tmp_path / "project")

    is_gap = odd in {"no name", "no version", "no field"}
    assert (f"{SITE}/numpy-1.26.4.dist-info" in gaps(report)) is is_gap


@pytest.mark.parametrize(
    "kind", ["a FIFO", "a device", "a directory", "a link to itself", "garbage"]
)
def test_a_file_that_two_packages_dispute_may_be_anything(kind: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    for number, name in enumerate(("nvidia-nccl-cu11", "nvidia-nccl-cu12")):
        digest = f"sha256={'AB'[number] * 43}"
        record = f"nvidia/nccl/lib/libnccl.so.2,{digest},16384\n/dev/zero,{digest},16384\n"
        dist_info(prefix, name, "2.18.1", RECORD=record, INSTALLER="pip\n")
    KINDS[kind](f"prefix/{SITE}/nvidia/nccl/lib/libnccl.so.2")(tmp_path)

    report_of(prefix, tmp_path / "project")


@pytest.mark.parametrize("system", ["win-64", "osx-arm64", "linux-aarch64", "emscripten-wasm32"])
def test_a_prefix_of_another_platform_is_judged_as_one(system: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    record = PYTHON_RECORD | {"subdir": system, "python_site_packages_path": SITE}
    write(prefix, {"conda-meta/python.json": json.dumps(record)})

    report = report_of(prefix, tmp_path / "project")

    assert report["target"]["platform"] == system


def test_a_dist_info_that_is_a_file_is_a_gap(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    write(prefix, {f"{SITE}/numpy-1.26.4.dist-info": "what?"})

    report = report_of(prefix, tmp_path / "project")

    assert f"{SITE}/numpy-1.26.4.dist-info" in gaps(report)


@pytest.mark.parametrize("file", ["METADATA", "RECORD"])
@pytest.mark.parametrize(
    "line", [b"Requires-Dist: numpy-00000000==1.0\n", b"a/0000000.so,sha256=x,1\n", b"a"]
)
def test_a_file_of_twenty_megabytes_is_bounded(file: str, line: bytes, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    head = METADATA if file == "METADATA" else b""
    files = {"METADATA": METADATA, file: head + line * (HUGE // len(line))}
    dist_info(prefix, "numpy", "1.26.4", INSTALLER="pip\n", **files)

    report_of(prefix, tmp_path / "project")


def test_names_that_are_not_utf8_or_hold_controls_are_escaped(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    for name in (b"num\xffpy", b"num\x1b[31mpy", b"num\npy", b"num\rpy", b"\xe2\x80\xaenum"):
        for suffix, made in ((b"-1.0.dist-info", os.mkdir), (b".pth", _touch)):
            made(os.path.join(os.fsencode(prefix / SITE), name + suffix))
        _touch(os.path.join(os.fsencode(prefix / "conda-meta"), name + b".json"))
        _touch(os.path.join(os.fsencode(_folder(prefix / "etc/conda/activate.d")), name + b".sh"))
        os.mkdir(os.path.join(os.fsencode(_folder(prefix / "share/jupyter/kernels")), name))

    report = report_of(prefix, tmp_path / "project")

    assert len([item for item in gaps(report) if item.endswith(".dist-info")]) == 5


def test_a_prefix_whose_own_name_is_hostile_is_looked_at(tmp_path: Path) -> None:
    prefix = tmp_path / os.fsdecode(b"pre\xff\x1b[2J\nfix;$(touch mark)")

    report_of(environment(prefix), tmp_path / "project")

    assert not list(tmp_path.rglob("mark"))


CYCLES = {
    "site-packages": lambda prefix: (prefix / SITE / "loop").symlink_to("."),
    "the prefix": lambda prefix: (prefix / "loop").symlink_to(prefix),
    "lib": lambda prefix: (prefix / "lib" / "lib").symlink_to("../lib"),
    "conda-meta": lambda prefix: (prefix / "conda-meta" / "loop.json").symlink_to("."),
    "itself": lambda prefix: (prefix / SITE / "x-1.0.dist-info").symlink_to("x-1.0.dist-info"),
    "each other": lambda prefix: (
        (prefix / "bin").symlink_to("sbin"),
        (prefix / "sbin").symlink_to("bin"),
    ),
}


@pytest.mark.parametrize("where", CYCLES)
def test_links_in_a_circle_end(where: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    CYCLES[where](prefix)
    pythonpath = f"{prefix / SITE}/loop:{prefix}/loop/loop/loop"

    report_of(prefix, tmp_path / "project", PYTHONPATH=pythonpath)


DENIED = {
    "conda-meta/a.json": "conda-meta/a.json",
    f"{SITE}/numpy-1.26.4.dist-info": f"{SITE}/numpy-1.26.4.dist-info",
    "conda-meta": None,
    SITE: SITE,
    "etc/conda/activate.d": None,
}


@pytest.mark.parametrize("path", DENIED)
def test_what_may_not_be_read_is_a_gap(path: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    write(prefix, {"conda-meta/a.json": "{}", "etc/conda/activate.d/a.sh": ""})
    dist_info(prefix, "numpy", "1.26.4")
    told = tmp_path / "report.json"
    (prefix / path).chmod(0)
    if os.geteuid() == 0 and not _is_denied_to_root(prefix / path):
        pytest.skip("root reads what it is not allowed to read")

    options = ("-p", prefix, "--report", f"json={told}")
    done = scan(tmp_path, *options, home=tmp_path, before=_give_up_reading)
    (prefix / path).chmod(0o755)
    report = json.loads(told.read_bytes())

    assert (done.stderr, report["crashes"]) == (b"", [])
    assert DENIED[path] is None or DENIED[path] in gaps(report)
    assert path == SITE or FAULT in codes(report["findings"])


def _give_up_reading() -> None:
    # PR_CAPBSET_DROP of CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, for what is executed next
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def _is_denied_to_root(path: Path) -> bool:
    seen = subprocess.run(
        ["/bin/ls", path] if path.is_dir() else ["/bin/cat", path],
        preexec_fn=_give_up_reading,
        capture_output=True,
        check=False,
    )
    return seen.returncode != 0


def test_a_folder_of_twenty_thousand_entries_is_scanned(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    for number in range(20_000):
        (prefix / SITE / f"module_{number}.py").touch()
    write(prefix, {f"{SITE}/module_{n}.pth": "/nowhere\n" for n in range(2_000)})

    report_of(prefix, tmp_path / "project", PYTHONPATH=str(prefix / SITE))


def test_twenty_thousand_broken_packages_are_scanned(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    for number in range(10_000):
        (prefix / SITE / f"x{number}-1.0.dist-info").mkdir()
        (prefix / "conda-meta" / f"x{number}.json").touch()

    report = report_of(prefix, tmp_path / "project")

    assert len(gaps(report)) >= 20_000


LAUGHS = "\n".join(
    ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    + ["dependencies: *a11"]
)
HOSTILE_YAML: Mapping[str, str | bytes] = {
    "billion laughs": LAUGHS,
    "billion laughs under pip": f"{LAUGHS}\ndependencies: [pip: *a11]\n",
    "an object of Python": "dependencies: !!python/object/apply:os.system ['touch mark']\n",
    "an alias of itself": "dependencies: &a [*a]\n",
    "an endless merge": "a: &a\n  <<: *a\ndependencies: []\n",
    "deep brackets": "dependencies: " + "[" * 100_000,
    "deep blocks": "\n".join(" " * n + "- " for n in range(2_000)),
    "wrong types": "dependencies: {a: 1}\nchannels: 7\nvariables: [1]\nname: [x]\n",
    "controls": b"dependencies: [num\x00py, 'a\x1b[2Jb']\n",
    "half of UTF-16": b"\xff\xfed\x00e",
    "a huge number": f"dependencies: [{'9' * 10_000}]\nname: {'9' * 10_000}\n",
    "a name that leads outside": "name: ../../../../etc\ndependencies: []\n",
    "a name that is a file": "prefix: /dev/zero\nname: /dev/zero\ndependencies: []\n",
}


@pytest.mark.parametrize("hostile", HOSTILE_YAML)
def test_a_hostile_environment_yml_ends_in_a_gap_or_is_read(hostile: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    write(tmp_path / "project", {"environment.yml": HOSTILE_YAML[hostile]})

    report_of(prefix, tmp_path / "project")

    assert not list(tmp_path.rglob("mark"))


HOSTILE_REQUIREMENTS: Mapping[str, str | bytes] = {
    "itself": "-r requirements.txt\n-c ./requirements.txt\n-r ././requirements.txt\n",
    "outside": "-r ../../../../etc/passwd\n-r /dev/zero\n-c file:///etc/passwd\n-r ~/x\n",
    "a folder": "-r .\n-r /\n-r ''\n",
    "one endless continuation": "torch \\\n" * 100_000,
    "one endless line": "torch==" + "1" * (2 << 20),
    "expressions that backtrack": "torch"
    + "=" * 50_000
    + "\n"
    + "--" * 50_000
    + "\n"
    + "[" * 50_000,
    "controls": b"torch\x1b[2J==1.0\x00\nnum\xffpy\n",
}


@pytest.mark.parametrize("hostile", HOSTILE_REQUIREMENTS)
def test_a_hostile_requirements_txt_ends_in_a_gap_or_is_read(hostile: str, tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    write(tmp_path / "project", {"requirements.txt": HOSTILE_REQUIREMENTS[hostile]})

    report_of(prefix, tmp_path / "project")


def test_an_empty_folder_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    done = scan(tmp_path / "empty", home=tmp_path)

    assert (done.returncode, done.stderr) == (0, b"")


NO_TARGETS = {
    "an empty folder": lambda path: path.mkdir(),
    "a file": lambda path: path.write_text("what?"),
    "a FIFO": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "nothing": lambda path: path,
}


@pytest.mark.parametrize("what", NO_TARGETS)
@pytest.mark.parametrize("option", ["--prefix", "PROJECT", "--name"])
def test_what_is_no_environment_and_no_project_is_said_in_one_line(
    what: str, option: str, tmp_path: Path
) -> None:
    target = tmp_path / "target\n\x1b[2J"
    NO_TARGETS[what](target)
    if (what, option) == ("an empty folder", "PROJECT"):
        pytest.skip("an empty folder is a project without files")

    done = scan(*([target] if option == "PROJECT" else [tmp_path, option, target]), home=tmp_path)

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"envfix: ")
    assert done.stderr.count(b"\n") == 1
    assert b"\x1b" not in done.stderr


@pytest.mark.parametrize("content", CONTENTS)
def test_a_snapshot_that_is_none_is_said_in_one_line(content: str, tmp_path: Path) -> None:
    write(tmp_path, {"saved.json": CONTENTS[content]})

    done = scan("--snapshot", tmp_path / "saved.json", home=tmp_path)

    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


MARKING = "import os; open(os.environ['MARK'], 'w').close()\n"
SHELL = '#!/bin/sh\n: > "$MARK"\n'
COMMANDS = ["python", "python3", "python3.11", "pip", "conda", "mamba", "nvcc", "nvidia-smi", "git"]


def test_nothing_of_an_environment_is_executed(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "prefix")
    modules = ("sitecustomize.py", "usercustomize.py", "torch/__init__.py", "torch/version.py")
    write(prefix, {f"{SITE}/{module}": MARKING for module in (*modules, "click.py", "msgspec.py")})
    write(prefix, {f"{SITE}/planted.pth": MARKING, f"{SITE}/{SITE}/x.pth": MARKING})
    write(tmp_path / "home", {f".local/{SITE}/{m}": MARKING for m in (*modules, "planted.pth")})
    hooks = ("activate.d/a.sh", "deactivate.d/a.sh", "activate.d/a.fish", "activate.d/a.bat")
    write(prefix, {f"etc/conda/{hook}": SHELL for hook in hooks})
    write(tmp_path / "project", dict.fromkeys((*modules, "setup.py", "conftest.py"), MARKING))
    for command in COMMANDS:
        planted = write(prefix / "bin", {command: SHELL}) / command
        planted.chmod(0o755)
    # Python itself runs the sitecustomize of PYTHONPATH, before the first line of envfix.
    (tmp_path / "project" / "sitecustomize.py").unlink()
    mark = tmp_path / "mark"

    report_of(
        prefix,
        tmp_path / "project",
        finds=None,
        MARK=str(mark),
        PATH=f"{prefix / 'bin'}:{os.environ['PATH']}",
        PYTHONPATH=str(tmp_path / "project"),
        CONDA_PREFIX=str(prefix),
        CONDA_EXE=str(prefix / "bin" / "conda"),
        CONDA_PYTHON_EXE=str(prefix / "bin" / "python"),
        CUDA_HOME=str(prefix),
    )

    assert not mark.exists()


def _touch(path: bytes) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
