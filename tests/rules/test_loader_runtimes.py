"""DUP108: a libstdc++ that is older than a library needs, and those that do."""

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
TAG = "cpython-311-x86_64-linux-gnu.so"
SCIPY = f"{SITE}/scipy/linalg/_f.{TAG}"
QT = f"{SITE}/PyQt5/QtCore.abi3.so"
SYSTEM = "/usr/lib/libstdc++.so.6"
ERROR = f"{SYSTEM}: version `GLIBCXX_3.4.30' not found (required by /prefix/{SCIPY})"


def told(text):
    report = judge(sketch(text), [all_rules()["DUP108"]], KNOWN)
    assert report.crashes == ()
    return report.findings


def world(  # noqa: PLR0913 - the parts of a sketch, by name
    *,
    env="",
    python="$ORIGIN/../lib",
    runpath="$ORIGIN/../../../..",
    files="",
    provider=SYSTEM,
    consumer=SCIPY,
    outcome="refused",
    shell="",
):
    """Sketch conda's SciPy and libstdc++ beside a wheel of PyQt5, on a system of 2020."""
    rpath = f"{{rpath: {python}}}" if python else "{}"
    return f"""
python: 3.11.7
env: {{{env}}}
variable_paths: [{shell}]
conda: [python=3.11.7=h1, libstdcxx=13.2.0=0, scipy=1.11.4=0]
pip: [pyqt5==5.15.2, nvidia-cudnn-cu12==9.1.0.70]
loader:
  bin/python3.11: {rpath}
  lib/libstdc++.so.6: {{of: libstdcxx}}
  {SYSTEM}: {{cached: true}}
  {SCIPY}: {{of: scipy, needed: [libstdc++.so.6]{f", runpath: {runpath}" if runpath else ""}}}
  {files}
misfits:
  - consumer: {consumer}
    provider: {provider}
    soname: libstdc++.so.6
    versions:
      - {{version: GLIBCXX_3.4.30, file: libstdc++.so.6, outcome: {outcome}, error: "{ERROR}"}}
"""


PYQT = f"{QT}: {{of: pyqt5, needed: [libstdc++.so.6], runpath: $ORIGIN/Qt5/lib}}"
OLD_GCC = "/opt/gcc-9/lib64/libstdc++.so.6: {}"
CAPTURED = {
    "env": "LD_LIBRARY_PATH: /opt/gcc-9/lib64",
    "files": OLD_GCC,
    "provider": "/opt/gcc-9/lib64/libstdc++.so.6",
}


def test_an_older_system_below_conda_is_no_fault():
    assert told(world()) == ()


def test_a_variable_that_leads_to_an_older_compiler_is_an_error():
    (finding,) = told(world(**CAPTURED))

    assert finding.severity is Severity.ERROR
    assert finding.message == (
        f"_f.{TAG} of conda's scipy 1.11.4 needs GLIBCXX_3.4.30 of libstdc++.so.6, and gets"
        " /opt/gcc-9/lib64/libstdc++.so.6 of no package, which is older, in every shell"
    )
    assert finding.remedy.startswith("take `/opt/gcc-9/lib64` out of LD_LIBRARY_PATH")


def test_a_newer_compiler_in_the_variable_is_left_alone():
    assert told(world(**CAPTURED | {"provider": SYSTEM})) == ()


def test_a_version_that_the_loader_only_warns_of_is_left_alone():
    assert told(world(**CAPTURED, outcome="at call")) == ()


def test_a_wheel_that_is_imported_first_takes_the_system_s():
    (finding,) = told(world(files=PYQT))

    assert finding.severity is Severity.WARNING
    assert (
        "which is older, after QtCore.abi3.so of pip's pyqt5 5.15.2 was imported" in finding.message
    )
    assert finding.remedy.startswith("import conda's scipy 1.11.4 before pip's pyqt5 5.15.2")
    assert finding.shows_as == f"`ImportError: {ERROR}`"


def test_several_wheels_that_take_it_are_one_finding():
    module = f"{SITE}/_sip.{TAG}: {{of: sip, needed: [libstdc++.so.6], runpath: $ORIGIN/q}}"
    both = world(files=f"{PYQT}\n  {module}").replace("pip: [", "pip: [sip==6.0, ")
    (finding,) = told(both)

    assert "QtCore.abi3.so of pip's pyqt5 5.15.2 (or that of pip's sip 6.0)" in finding.message


def test_it_is_told_under_the_variable_where_that_captures_cuda_as_well():
    (finding,) = told(world(**CAPTURED))

    assert finding.explained_by == (
        "ld-library-path-captures@this environment:LD_LIBRARY_PATH:/opt/gcc-9/lib64",
    )


def test_a_wheel_that_finds_conda_s_is_left_alone():
    assert told(world(files=PYQT.replace("$ORIGIN/Qt5/lib", "$ORIGIN/../../.."))) == ()
    assert told(world(files=PYQT.replace("runpath", "rpath"))) == ()


def test_what_python_does_not_import_by_itself_takes_nothing():
    assert told(world(files=PYQT.replace("QtCore.abi3.so", "libQt5Core.so.5"))) == ()
    assert told(world(files=PYQT.replace("pyqt5", "nvidia-cudnn-cu12"))) == ()


def test_a_library_is_judged_with_the_module_that_needs_it():
    library = f"{SITE}/scipy/libdeep.so"
    module = f"{SITE}/scipy/_g.{TAG}"
    files = f"""{library}: {{of: scipy, needed: [libstdc++.so.6]}}
  {module}: {{of: scipy, needed: [libdeep.so], rpath: $ORIGIN}}
  /opt/gcc-9/lib64/libstdc++.so.6: {{}}"""
    given = CAPTURED | {"files": files, "consumer": library, "python": ""}

    (finding,) = told(world(**given))
    assert "libdeep.so of conda's scipy" in finding.message
    assert told(world(**given).replace("[libdeep.so]", "[]")) == ()


def test_a_python_that_leads_nowhere_is_told_of_the_one_that_would_do():
    (finding,) = told(world(python="", runpath="", env=f"LD_PRELOAD: {SYSTEM}"))
    assert finding.remedy.startswith("build conda's scipy 1.11.4 with this machine's compiler")

    (finding,) = told(world(runpath="/usr/lib:$ORIGIN/../../../.."))
    assert finding.remedy.startswith(
        "/prefix/lib/libstdc++.so.6 of conda's libstdcxx 13.2.0 has it"
    )


def test_an_older_one_of_conda_is_to_be_exchanged():
    (finding,) = told(world(provider="lib/libstdc++.so.6"))

    assert finding.remedy.startswith("`conda install 'libstdcxx>13.2.0'`")


def test_what_only_an_inactive_shell_breaks_is_information():
    script = """
state:
  scripts:
    - path: etc/conda/activate.d/gcc.sh
      text: export LD_LIBRARY_PATH=/prefix/lib
"""
    (finding,) = told(world(**CAPTURED) + script)

    assert finding.severity is Severity.INFO
