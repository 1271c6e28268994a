"""DEC701 to DEC704, DEC720 and DEC724: what stays silent, what is found, what folds."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.model.install_set import PLATFORMS
from reconciler.model.manifest import Fault, FaultKind, Manifest
from reconciler.model.snapshot import Fact, Snapshot, Target
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

RULES = [
    rule
    for code, rule in all_rules().items()
    if code in {"DEC701", "DEC702", "DEC703", "DEC704", "DEC720", "DEC724"}
]
KNOWN = catalog.load()
PYTORCH = "https://download.pytorch.org/whl"


def files(**texts):
    """Judge files by their text alone, on every platform that they may be for."""
    named = ((name.replace("__", "."), text) for name, text in texts.items())
    return judged(*(manifest for name, text in named for manifest in _read(name, text)))


def _read(name, text):
    indented = "\n".join(f"  {line}" for line in text.strip().splitlines())
    return sketch(f"{name}: |\n{indented}\n").manifests


def judged(*manifests, rules=RULES):
    target = Target(project="/project", platform=PLATFORMS[0], because="files alone")
    snapshot = Snapshot(
        envfix="0", target=target, asked=(Fact.MANIFESTS,), manifests=tuple(manifests)
    )
    report = judge(snapshot, rules, KNOWN)
    assert report.crashes == ()
    return report.findings


def requirements(text):
    return files(requirements__txt=text)


def environment(*pip, python="=3.10"):
    items = "\n".join(f"      - {item}" for item in pip)
    return files(environment__yml=f"dependencies:\n  - python{python}\n  - pip\n  - pip:\n{items}")


def codes(findings):
    return [(finding.code, finding.severity.value) for finding in findings]


ERROR, WARNING = "error", "warning"


@pytest.mark.parametrize(
    "text",
    [
        f"torch==1.13.1+cu117\n--extra-index-url {PYTORCH}/cu117",
        f"--index-url {PYTORCH}/cu117\ntorch==1.13.1+cu117\ntorchvision==0.14.1+cu117",
        f"-f {PYTORCH}/torch_stable.html\ntorch==1.9.0+cu111\ntorchvision==0.10.0+cu111",
        f"-f {PYTORCH}/cu113/torch_stable.html\ntorch==1.10.0+cu113",
        f"-f {PYTORCH}/torch/\ntorch==2.1.2+cu121",
        f"--extra-index-url {PYTORCH}\ntorch==2.1.2+cu121",
        (
            f"--extra-index-url {PYTORCH}/torch_stable.html\n--extra-index-url {PYTORCH}/cu116\n"
            "torch==1.12.0+cu116"
        ),
        (
            f"--find-links https://data.pyg.org/whl/torch-1.12.0+cu113.html\n"
            f"--extra-index-url {PYTORCH}/cu113\ntorch==1.12.0+cu113\ntorch-scatter==2.1.0+pt112cu113"
        ),
        "-f https://data.dgl.ai/wheels/cu118/repo.html\ndgl==1.1.2+cu118",
        (
            "-f https://storage.googleapis.com/jax-releases/jax_cuda_releases.html\n"
            "jaxlib==0.4.23+cuda12.cudnn89"
        ),
        (
            "-f https://www.paddlepaddle.org.cn/whl/linux/mkl/avx/stable.html\n"
            "paddlepaddle-gpu==2.5.2.post117"
        ),
        "paddlepaddle-gpu==1.8.5.post107",
        "--extra-index-url https://wheels.example.org/simple\ntorch==2.1.2+cu121",
        "--extra-index-url ${PYTORCH_INDEX}\ntorch==2.1.2+cu121",
        f"--extra-index-url {PYTORCH}/${{CUDA}}\ntorch==2.1.2+cu121",
        f"torch @ {PYTORCH}/cu118/torch-2.0.0%2Bcu118-cp310-cp310-linux_x86_64.whl",
        f"{PYTORCH}/cu118/torch-2.0.0%2Bcu118-cp310-cp310-linux_x86_64.whl",
        "torch==1.13.1+computecanada",
        "torch==2.1.2+site.7",
    ],
)
def test_a_build_whose_index_is_there_or_unknown_is_left_alone(text):
    assert codes(requirements(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        # Beside PyPI the labeled wheel is the higher one, so a plain pin finds it.
        f"--extra-index-url {PYTORCH}/cu117\ntorch==1.13.1\ntorchvision==0.14.1",
        f"--extra-index-url {PYTORCH}/cu126\ntorch",
        f"--extra-index-url {PYTORCH}/cu117\ntorch>=1.13,<2.1",
        f"--extra-index-url {PYTORCH}/cu117\n--extra-index-url {PYTORCH}/cu121\ntorch==2.1.2",
        f"--extra-index-url {PYTORCH}/cpu\ntorch>=2.1.0",
        f"--extra-index-url {PYTORCH}/nightly/cu118\n--pre\ntorch",
        f"--extra-index-url {PYTORCH}/rocm5.2\ntorch",
        # No row says for what these were built.
        f"--extra-index-url {PYTORCH}/cu117\ntorch==2.5.0",
        f"--extra-index-url {PYTORCH}/cu117\ntorchvision==0.2.2",
        f"--extra-index-url {PYTORCH}/cu117\ntorchvision",
    ],
)
def test_an_index_that_has_the_release_or_may_have_it_is_left_alone(text):
    assert codes(requirements(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"-f {PYTORCH}/lts/1.8/torch_lts.html\ntorch==1.8.2+cu111\ntorchvision==0.9.2+cu111",
        f"-f {PYTORCH}/torch_stable.html\ntorch==1.9.0+cu111\ntorchvision==0.10.0+cu111",
        f"-f {PYTORCH}/torch_stable.html\ntorch==2.0.1+cu117.with.pypi.cudnn",
        "torch==1.10.2\ntorchvision==0.11.3\ntorchaudio==0.10.2",
        "torch==2.1\ntensorflow-gpu==1.15\ntensorflow==2.15.*",
        "torch==1.0.1.post2\ntorch===1.2.0\ntensorflow==2.4.0rc3",
        "xformers==0.0.22.post7\nxformers~=0.0.16",
        "torch==99.0\ntorchvision==1.0.0\njax>=0.99",
        "onnxruntime-gpu==1.8.1\njaxlib==0.1.75",
        "torch==2.6.0.dev20241112",
        "torch>=2.1,<3\ntorchvision!=0.15.3\nnumpy==99",
        "torch==1.14.0a0\nnvidia-cudnn-cu12==9.1.0.70",
        "--extra-index-url https://wheels.example.org/simple\ntorch==1.14.0a0+410ce96",
        f"--extra-index-url {PYTORCH}/nightly/cu121\ntorch==2.3.7",
        "torch @ git+https://github.com/pytorch/pytorch@v2.1.7",
        "torchaudio==2.11.0\ntorchaudio>=2.0",
    ],
)
def test_a_version_that_exists_or_may_come_is_left_alone(text):
    assert codes(requirements(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"--index-url {PYTORCH}/cu128\ntorch==2.9.1\ntorchvision\nnumpy\nnvidia-cublas-cu12\ntqdm",
        (
            f"--index-url {PYTORCH}/cu128\n--extra-index-url https://pypi.org/simple\n"
            "torch==2.9.1\ngymnasium"
        ),
        (
            f"--index-url {PYTORCH}/cu128\n--extra-index-url https://wheels.example.org\n"
            "torch==2.9.1\ngymnasium"
        ),
        "--index-url https://pypi.tuna.tsinghua.edu.cn/simple\ntorch==2.9.1\ngymnasium",
        "--index-url https://wheels.example.org/simple\ntorch==2.9.1\ngymnasium",
        (
            f"--index-url {PYTORCH}/cu128\n-e .\n./wheels/thing-1.0-py3-none-any.whl\ngym @ https://example.org/g.whl\n"
            "git+https://github.com/openai/CLIP.git#egg=clip"
        ),
    ],
)
def test_an_index_in_place_of_pypi_that_has_all_or_may_have_it_is_left_alone(text):
    assert codes(requirements(text)) == []


@pytest.mark.parametrize(
    ("python", "pin"),
    [
        ("=3.11", "torch==1.13.1"),
        ("=3.8.20", "torch==1.13.1"),
        (">=3.8", "torch==1.13.1"),
        (">=3.9,<3.13", "torch==2.2.0"),
        ("=3.12", "torch>=1.13"),
        ("=3.12", "xformers==0.0.16"),
        ("=3.12", "torch==1.13.1 ; python_version < '3.12'"),
        ("=3.12", f"torch @ {PYTORCH}/cu118/torch-2.0.0%2Bcu118-cp310-cp310-linux_x86_64.whl"),
        ("=3.13", "bitsandbytes==0.44.0"),
    ],
)
def test_a_python_that_will_do_is_left_alone(python, pin):
    assert codes(environment(pin, python=python)) == []


def test_an_unknown_index_may_have_wheels_for_any_python():
    index = "--extra-index-url https://wheels.example.org/simple"
    assert codes(environment(index, "torch==1.13.1", python="=3.12")) == []


def test_constraints_and_locks_ask_for_nothing():
    text = "torch==2.1.2+cu121\ntorchvision==1.6.0\n"
    assert codes(files(constraints__txt=text)) == []


def test_the_pins_of_one_build_are_one_finding_with_the_line_to_add():
    (finding,) = requirements("numpy\ntorch==1.13.1+cu117\ntorchvision==0.14.1+cu117")
    assert (finding.code, finding.at.line) == ("DEC701", 2)
    assert finding.message == (
        "requirements.txt pins torch==1.13.1+cu117, torchvision==0.14.1+cu117, but PyPI has no"
        " version with a local label, and it names no index that does"
    )
    assert finding.remedy == f"add the line `--extra-index-url {PYTORCH}/cu117` to requirements.txt"
    assert [place.line for place in finding.related] == [3]


def test_more_pins_than_can_be_shown_are_counted():
    names = ("torch", "torchao", "torchcodec", "torchrec", "fbgemm-gpu")
    (finding,) = requirements("\n".join(f"{name}==1.0.0+rocm5.2" for name in names))
    assert " and 1 more, but" in finding.message


def test_in_an_environment_file_the_index_is_an_item_of_the_pip_section():
    (finding,) = environment("torch==2.0.0+cu118")
    assert finding.remedy == (
        f"add the item `- --extra-index-url {PYTORCH}/cu118` to the pip section of environment.yml"
    )


def test_a_page_of_links_given_as_an_index_serves_nothing():
    page = f"{PYTORCH}/torch_stable.html"
    (finding,) = requirements(f"--extra-index-url {page}\ntorch==1.12.0+cu116")
    assert codes([finding]) == [("DEC701", ERROR)]
    assert f"{page} is a page of links, and has nothing" in finding.message
    assert [place.line for place in finding.related] == [1]


def test_a_mirror_of_pypi_serves_no_label():
    mirror = "--index-url https://pypi.tuna.tsinghua.edu.cn/simple"
    (finding,) = requirements(f"{mirror}\ntorch==1.13.1+cu116")
    assert "no index in it serves one" in finding.message


def test_an_index_of_another_project_serves_nothing():
    index = "--extra-index-url https://abetlen.github.io/llama-cpp-python/whl/cu121"
    assert codes(requirements(f"{index}\ntorch==2.1.2+cu121")) == [("DEC701", ERROR)]


def test_pyg_s_builds_are_on_a_page_for_their_pytorch():
    (finding,) = requirements("torch==1.13.1\ntorch-scatter==2.1.0+pt113cu117")
    assert "--find-links https://data.pyg.org/whl/torch-1.13.1+cu117.html" in finding.remedy
    (finding,) = requirements("torch-sparse==0.6.16+pt112cu113")
    assert "--find-links https://data.pyg.org/whl/torch-1.12.0+cu113.html" in finding.remedy


def test_where_no_index_is_known_the_remedy_says_so():
    (finding,) = requirements("exllamav2==0.0.6+cu121")
    assert finding.remedy == (
        "name the index that has exllamav2 for cu121, or the URL of its wheel"
        " (`exllamav2 @ https://...`); or pin 0.0.6, PyPI's own build"
    )
    (finding,) = requirements("torch-sparse==0.6.16+cu113")
    assert finding.remedy.startswith("name the index that has torch-sparse")


@pytest.mark.parametrize(
    "index", ["", f"-f {PYTORCH}/torch_stable.html\n", f"--extra-index-url {PYTORCH}/cu117\n"]
)
def test_a_build_that_never_was_is_told_whatever_the_index(index):
    (finding,) = requirements(f"{index}torch==2.1.0+cu117")
    assert codes([finding]) == [("DEC703", ERROR)]
    assert finding.message.endswith("2.1.0+cu117 was not built, its builds are cu118 and cu121")
    assert finding.remedy.endswith("torch==2.1.0+cu118 or torch==2.1.0+cu121")


def test_a_torchvision_was_built_for_what_its_pytorch_was():
    page = f"-f {PYTORCH}/torch_stable.html"
    (finding,) = requirements(f"{page}\ntorchvision==0.9.0+cu110")
    assert codes([finding]) == [("DEC703", ERROR)]


def test_a_build_that_its_project_numbers_needs_its_index_too():
    (finding,) = requirements("paddlepaddle-gpu==2.4.2.post117")
    assert codes([finding]) == [("DEC701", ERROR)]
    assert "PyPI has no such build, and it names no index that does" in finding.message


def test_an_index_for_another_cuda_than_the_pin_is_an_error():
    (finding,) = requirements(f"--extra-index-url {PYTORCH}/cu118\ntorch==2.1.2+cu121")
    assert codes([finding]) == [("DEC702", ERROR)]
    assert finding.message == (
        "requirements.txt pins torch==2.1.2+cu121, but its index is the one for cu118"
    )


def test_a_release_that_an_index_never_had_comes_from_pypi():
    (finding,) = requirements(f"--extra-index-url {PYTORCH}/cu117\ntorch==2.1.0")
    assert codes([finding]) == [("DEC702", WARNING)]
    assert finding.message == (
        "requirements.txt names the index for cu117, but 'torch==2.1.0' is answered by PyPI's torch"
        " 2.1.0: which that index never had"
    )
    assert finding.remedy == "take the index for cu118 or cu121; or pin torch==2.0.1+cu117"


def test_a_torchvision_is_where_its_pytorch_is():
    (finding,) = requirements(f"--extra-index-url {PYTORCH}/cu117\ntorchvision==0.16.0")
    assert "torchvision 0.16.0" in finding.message
    assert finding.remedy.endswith("pin torchvision==0.15.2+cu117")


def test_a_release_that_no_index_has_is_refused():
    (finding,) = requirements(f"--index-url {PYTORCH}/cu117\ntorch==2.1.0")
    assert codes([finding]) == [("DEC702", ERROR)]
    assert finding.message == (
        "requirements.txt asks the index for cu117 for torch 2.1.0, which it never had"
    )


def test_a_line_without_an_upper_bound_is_answered_by_pypi():
    (finding,) = requirements(f"--extra-index-url {PYTORCH}/cu116\ntorch>=1.13.1")
    assert codes([finding]) == [("DEC702", WARNING)]
    assert "the newest that the index for cu116 has is 1.13.1" in finding.message
    assert finding.remedy.startswith("pin torch==1.13.1+cu116; or take the index for")


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("torch==2.1.7", "torch==2.1.2 or torch==2.2.0"),
        ("torchvision==1.6.0+cpu", "torchvision==0.7.0"),
        ("torchvision==1.13", "torchvision==0.14.0"),
        ("xformers~=0.16", "xformers==0.0.16"),
        ("xformers==0.0.26", "xformers==0.0.26.post1"),
        ("tensorflow==2.16.0", "tensorflow==2.15.1 or tensorflow==2.16.1"),
        ("tensorflow-gpu==2.15.0", "tensorflow-gpu==2.12.0"),
        ("faiss-gpu==1.7.3", "faiss-gpu==1.7.2 or faiss-gpu==1.14.3"),
        ("torchvision==0.30.0", None),
        ("torch==2.9.*,!=2.9.1", None),
        ("torch==2.16.*", None),
        ("torch==1.14.*", "torch==1.13.1 or torch==2.0.0"),
    ],
)
def test_a_version_that_does_not_exist_is_told_with_the_nearest(line, nearest):
    index = f"--extra-index-url {PYTORCH}/cpu\n"
    found = requirements(index + line)
    if nearest is None:
        assert codes(found) == []
        return
    (finding,) = found
    assert codes([finding]) == [("DEC703", ERROR)]
    assert finding.remedy.endswith(f"the nearest that there is: {nearest}")


def test_the_version_of_a_checkout_is_on_no_index():
    (finding,) = requirements("torchaudio==0.9.0a0+33b2469")
    assert finding.message.endswith(
        "0.9.0a0+33b2469 is what a checkout calls itself when it is built"
    )
    assert finding.remedy.endswith("torchaudio==0.9.0")


def test_a_package_that_no_index_has_is_to_be_removed():
    (finding,) = requirements("numpy\npkg-resources==0.0.0")
    assert finding.remedy == "remove line 2 of requirements.txt: nothing needs it"


@pytest.mark.parametrize("spec", ["pytorch-cuda=11.3", "pytorch-cuda ==11.3", "pytorch-cuda=12.6"])
def test_a_conda_version_that_does_not_exist_is_told(spec):
    (finding,) = files(environment__yml=f"dependencies:\n  - {spec}")
    assert codes([finding]) == [("DEC703", ERROR)]
    assert "conda's channels have no such version" in finding.message


@pytest.mark.parametrize(
    "spec", ["pytorch-cuda=11.8", "pytorch-cuda>=12", "pytorch-cuda", "pytorch-cuda=1=2=3=4"]
)
def test_a_conda_version_that_exists_or_says_nothing_is_left_alone(spec):
    found = files(environment__yml=f"dependencies:\n  - {spec}")
    assert "DEC703" not in {finding.code for finding in found}


def test_an_index_that_hides_pypi_is_told_with_what_it_lacks():
    (finding,) = environment(
        "torch==2.9.1+cu128", f"--index-url {PYTORCH}/cu128", "gymnasium", "tensorboard", "tqdm"
    )
    assert (finding.code, finding.at.line) == ("DEC704", 6)
    assert "the PyTorch index has no gymnasium, tensorboard" in finding.message
    assert finding.remedy.startswith(f"write `--extra-index-url {PYTORCH}/cu128`")


def test_more_of_what_an_index_lacks_than_can_be_shown_is_counted():
    names = "gymnasium\ntensorboard\ntransformers\naccelerate\ndiffusers"
    (finding,) = requirements(f"--index-url {PYTORCH}/cu128\n{names}")
    assert finding.message.endswith("accelerate and 1 more")


def test_an_index_above_an_index_url_is_forgotten_and_explains_what_is_missing():
    (finding,) = requirements(
        f"--extra-index-url {PYTORCH}/cu118\n--index-url https://pypi.org/simple\n"
        "torch==2.1.2+cu118"
    )
    assert codes([finding]) == [("DEC704", ERROR)]
    assert finding.remedy == "move line 1 below line 2 of requirements.txt"
    assert [symptom.code for symptom in finding.symptoms] == ["DEC701"]


def fault(kind, better, text="torch==2.1.2+cu118 --index-url https://x"):
    why = "pip passes over what stands behind it"
    return Fault(kind=kind, text=text, why=why, better=better, line=3)


def manifest(*faults, text=""):
    (read,) = _read("requirements.txt", text or "numpy\n")
    return Manifest(path=read.path, text=read.text, declared=read.declared, faults=faults)


@pytest.mark.parametrize(
    ("better", "remedy"),
    [
        ("", "write the option on a line of its own"),
        ("--pre", "write `--pre`"),
        ("torch\ntorchvision", "write `torch`, `torchvision`, each on a line of its own"),
    ],
)
def test_an_option_that_is_lost_is_told_with_what_to_write(better, remedy):
    (finding,) = judged(manifest(fault(FaultKind.OPTION_LOST, better)))
    assert codes([finding]) == [("DEC704", ERROR)]
    assert finding.message == "requirements.txt:3: pip passes over what stands behind it"
    assert finding.remedy == remedy


def test_a_lost_index_explains_the_build_that_is_not_found():
    lost = fault(FaultKind.OPTION_LOST, "")
    other = fault(FaultKind.BROKEN, "")
    text = "torch==2.1.2+cu118\n"
    findings = judged(manifest(lost, other, text=text))
    assert codes(findings) == [("DEC704", ERROR), ("DEC724", ERROR)]
    assert [symptom.code for symptom in findings[0].symptoms] == ["DEC701"]


@pytest.mark.parametrize(
    ("better", "remedy"),
    [
        ("", "mend or remove line 3 of requirements.txt"),
        ("torch==2.1.2", "write line 3 as `torch==2.1.2`"),
    ],
)
def test_a_line_that_is_refused_is_told(better, remedy):
    (finding,) = judged(manifest(fault(FaultKind.BROKEN, better)))
    assert codes([finding]) == [("DEC724", ERROR)]
    assert finding.remedy == remedy


def test_wheels_for_no_allowed_python_are_one_finding():
    (finding,) = environment("torch==1.13.1", "torchvision==0.14.1", python="=3.12")
    assert codes([finding]) == [("DEC720", ERROR)]
    assert finding.message == (
        "environment.yml is for Python 3.12, by `python=3.12`, but torch==1.13.1 has wheels for"
        " Python 3.7 to 3.11, torchvision==0.14.1 has wheels for Python 3.7 to 3.10"
    )
    assert finding.remedy == (
        "take Python 3.7 to 3.10; or pin a release that has wheels for it: torch==2.2.0,"
        " torchvision==0.17.0"
    )
    assert finding.severity is Severity.ERROR


def test_a_lower_bound_that_no_wheel_reaches_is_found():
    (finding,) = environment(
        "torch==1.13.1+cpu", f"-f {PYTORCH}/torch_stable.html", python=">=3.12"
    )
    assert finding.message.startswith("environment.yml is for Python 3.12 or later, by")


def pyproject(*lines, torch='"torch==2.1.0+cu121"', python=">=3.9"):
    project = f"""
[project]
name = "x"
version = "1"
requires-python = "{python}"
dependencies = [{torch}]
"""
    return files(pyproject__toml="\n".join((project.strip(), *lines)))


UV = (
    "[tool.uv.sources]",
    'torch = { index = "builds" }',
    "[[tool.uv.index]]",
    'name = "builds"',
    "explicit = true",
)


def test_a_source_of_uv_that_serves_the_build_is_left_alone():
    assert codes(pyproject(*UV, f'url = "{PYTORCH}/cu121"')) == []


def test_a_source_of_uv_for_another_cuda_is_an_error():
    (finding,) = pyproject(*UV, f'url = "{PYTORCH}/cu118"')
    assert codes([finding]) == [("DEC702", ERROR)]
    assert finding.remedy == (
        f"name {PYTORCH}/cu121 in place of {PYTORCH}/cu118; or pin the build for cu118"
    )


def test_uv_takes_a_release_from_the_first_index_that_has_the_project_or_not_at_all():
    index = ("[[tool.uv.index]]", 'name = "builds"', f'url = "{PYTORCH}/cu117"')
    (finding,) = pyproject(*index, torch='"torch==2.1.0"')
    assert codes([finding]) == [("DEC702", ERROR)]
    assert codes(pyproject(*index, torch='"torch>=1.13"')) == []


def test_a_project_that_no_tool_of_its_own_installs_cannot_name_an_index():
    (finding,) = pyproject()
    assert finding.remedy == (
        f"tell users to run `pip install --extra-index-url {PYTORCH}/cu121`, since pyproject.toml"
        " cannot name an index"
    )


def test_a_project_s_own_bounds_tell_its_pythons():
    (finding,) = pyproject(torch='"torch==2.1.0"', python=">=3.12")
    assert codes([finding]) == [("DEC720", ERROR)]
    assert codes(pyproject(torch='"torch==2.1.0"', python=">=3.8,!=3.9.*")) == []
    assert codes(pyproject(torch='"torch==2.1.0"', python=">=3.12 or so")) == []


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("[tool.uv]\nmanaged = true", "`torch = { index = 'builds' }` to `[tool.uv.sources]`"),
        ("[tool.pdm]\ndistribution = true", "`[[tool.pdm.source]]` with `name = 'builds'`"),
    ],
)
def test_the_remedy_is_in_the_words_of_the_tool(tool, words):
    (finding,) = pyproject(tool)
    assert words in finding.remedy


def test_poetry_s_remedy_is_a_source():
    (finding,) = files(
        pyproject__toml='[tool.poetry]\nname = "x"\nversion = "1"\n'
        '[tool.poetry.dependencies]\npython = "^3.10"\ntorch = "1.13.1+cu117"'
    )
    assert codes([finding]) == [("DEC701", ERROR)]
    assert finding.remedy.endswith("to pyproject.toml, and `source = 'builds'` to torch")


def test_pixi_s_remedy_is_an_option():
    (finding,) = files(
        pixi__toml='[workspace]\nname = "x"\nchannels = ["conda-forge"]\nplatforms = ["linux-64"]\n'
        '[pypi-dependencies]\ntorch = "==1.13.1+cu117"'
    )
    assert (
        finding.remedy
        == f"add `extra-index-urls = ['{PYTORCH}/cu117']` to `[pypi-options]` in pixi.toml"
    )


def test_an_index_of_a_command_serves_its_requirements_alone():
    found = files(
        Dockerfile="FROM python:3.10\n"
        f"RUN pip install torch==2.1.0 gymnasium --index-url {PYTORCH}/cu118\n"
        "RUN pip install torchvision==0.16.0+cu118"
    )
    assert sorted(codes(found)) == [("DEC701", ERROR), ("DEC704", ERROR)]
    by_code = {finding.code: finding for finding in found}
    assert by_code["DEC701"].remedy == (
        f"give `--extra-index-url {PYTORCH}/cu118` to the command in Dockerfile:3"
    )
    assert "replaces PyPI for the command in Dockerfile, and" in by_code["DEC704"].message


def test_a_variable_that_pip_reads_names_an_index():
    variable = f"ENV PIP_EXTRA_INDEX_URL={PYTORCH}/cu118"
    text = f"FROM python:3.10\n{variable}\nRUN pip install torch==2.1.0+cu118"
    assert codes(files(Dockerfile=text)) == []


def test_the_image_of_a_dockerfile_tells_its_python():
    (finding,) = files(Dockerfile="FROM python:3.12-slim\nRUN pip install torch==1.13.1")
    assert finding.message.startswith("Dockerfile is for Python 3.12, by `python:3.12-slim`, but")
    assert codes(files(Dockerfile="FROM ubuntu:22.04\nRUN pip install torch==1.13.1")) == []


def test_wheels_of_no_common_python_leave_their_pins_to_be_changed():
    (finding,) = environment("tensorflow==1.15.0", "torch==2.5.1", python="=3.8")
    assert finding.remedy == (
        "pin a release that has wheels for it: tensorflow==2.2.0, torch==2.4.1"
    )


def test_a_python_before_all_wheels_has_no_release():
    (finding,) = environment("jaxlib==0.5.0", python="=3.6")
    assert finding.remedy == "take Python 3.10 to 3.13"


def test_what_wheels_of_the_stable_interface_need_is_a_later_python():
    rows = [row for row in KNOWN.published._pythons.values() for row in row.values()]
    assert {row.words for row in rows if not row.last} <= {
        f"Python 3.{n} or later" for n in range(20)
    }


def test_a_pair_that_was_never_released_together_is_told_once_for_all_platforms():
    (read,) = _read("requirements.txt", "torch==1.12.1\ntorchvision==0.13.0\n")
    (finding,) = judged(read, rules=[all_rules()["CUD205"]])
    assert finding.platforms == ()
    assert finding.message == (
        "torchvision 0.13.0 is for PyTorch 1.12.0, but requirements.txt has PyTorch 1.12.1"
    )
