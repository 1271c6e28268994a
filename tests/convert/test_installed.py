"""Of an installed environment, what was asked for is converted, and not what came along."""

import pytest

from reconciler import catalog
from reconciler.convert.installed import as_manifest
from reconciler.model.distribution import Distribution
from reconciler.model.manifest import Section
from reconciler.model.prefix import PrefixRecord, Python

SITE = "lib/python3.11/site-packages"
PYTHON = Python(version="3.11.7", site_packages=(SITE,))


def record(name, version="1.0.0", *, asked=(), depends=()):
    return PrefixRecord(name=name, version=version, requested_specs=asked, depends=depends)


def wheel(name, version="1.0", **fields):
    directory = f"{name}-{version}.dist-info"
    return Distribution(name=name, version=version, location=SITE, directory=directory, **fields)


def texts(records=(), wheels=(), section=None):
    manifest = as_manifest("prefix", records, wheels, PYTHON, catalog.load().naming)
    return [d.text for d in manifest.declared if section is None or d.section is section]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("pytorch", "pytorch=2.3"),
        ("pytorch=2.3.1", "pytorch=2.3"),
        ("pytorch==2.3.1", "pytorch==2.3.1"),
        ("pytorch=2.3.1=cuda*", "pytorch==2.3.1"),
        ("[what nobody reads", "pytorch=2.3"),
    ],
)
def test_what_conda_was_asked_for_is_asked_for_as_closely(asked, text):
    records = (record("pytorch", "2.3.1", asked=(asked,)), record("libtorch", "2.3.1"))
    assert texts(records, section=Section.CONDA) == [text]


def test_without_a_record_of_wishes_what_nothing_depends_on_is_meant():
    records = (record("numpy", depends=("libblas >=3",)), record("libblas", "3.9"))
    assert texts(records, section=Section.CONDA) == ["numpy=1.0"]


def test_a_wheel_that_was_requested_keeps_its_version_and_its_label():
    wheels = (wheel("torch", "2.1.2+cu118", requested=True), wheel("sympy"))
    assert texts(wheels=wheels)[1:] == ["torch==2.1.2+cu118"]


def test_without_a_mark_the_wheels_that_no_other_requires_are_meant():
    wheels = (
        wheel("torch", requires=("sympy", "made_up; extra == 'all'")),
        wheel("sympy"),
        wheel("Made-Up"),
        wheel("pip"),
    )
    assert texts(wheels=wheels)[1:] == ["Made-Up==1.0", "torch==1.0"]


def test_what_comes_from_elsewhere_says_from_where():
    wheels = (
        wheel("mine", editable=True, direct_url="file:///home/me/mine", requested=True),
        wheel("other", requested=True, pinned_url="git+https://host/other.git@1a2b"),
        wheel("third", requested=True, direct_url="https://host/third-1.0-py3-none-any.whl"),
    )
    assert texts(wheels=wheels)[1:] == [
        "-e /home/me/mine",
        "other @ git+https://host/other.git@1a2b",
        "third @ https://host/third-1.0-py3-none-any.whl",
    ]


def test_the_python_of_a_venv_is_kept_to_its_minor():
    assert texts()[0] == "==3.11.*"
    assert texts(records=(record("python", "3.11.7", asked=("python",)),)) == ["python=3.11"]


def test_a_python_that_nobody_asked_for_is_kept_to_its_minor_too():
    records = (record("pytorch", asked=("pytorch",)), record("python", "3.11.7"))
    assert texts(records=records) == ["==3.11.*", "pytorch=1.0"]


def test_a_wheel_that_lay_in_a_folder_is_the_release_that_conda_has():
    file = "file:///home/me/numpy-1.26.4-cp311-cp311-linux_x86_64.whl"
    unknown = "file:///home/me/made_up_foo-1.0-py3-none-any.whl"
    wheels = (
        wheel("made-up-foo", requested=True, direct_url=unknown),
        wheel("numpy", "1.26.4", requested=True, direct_url=file),
    )
    assert texts(wheels=wheels)[1:] == [f"made-up-foo @ {unknown}", "numpy==1.26.4"]
