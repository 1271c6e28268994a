from reconciler.model.manifest import Declared, Section


def line(section: Section, text: str) -> Declared:
    return Declared(path="f", section=section, text=text, name="x", line=1, column=1)


def test_a_line_for_conda_is_a_match_spec():
    spec = line(Section.CONDA, "pytorch=2.1=*cuda*").spec
    assert spec is not None
    assert (spec.name, spec.build) == ("pytorch", "*cuda*")


def test_a_line_for_pip_is_none():
    assert line(Section.PIP, "torch==2.1.2").spec is None


def test_what_conda_would_refuse_is_none():
    assert line(Section.CONDA, "pytorch=[").spec is None
