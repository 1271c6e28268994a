"""The fixes of lines in declared files: how far each may be trusted, and what it changes."""

import difflib
import textwrap

import pytest

from reconciler import catalog
from reconciler.judgement import judge
from reconciler.manifests import rewriting
from reconciler.model.finding import flat
from reconciler.rules import all_rules
from reconciler.testing import sketch

WHL = "https://download.pytorch.org/whl"
KNOWN = catalog.load()


def fixes(code, text):
    """Return what each fix of a rule's findings is worth, and the lines that it changes."""
    snapshot = sketch(text)
    report = judge(snapshot, all_rules().values(), KNOWN)
    assert report.crashes == ()
    files = {manifest.path: manifest for manifest in snapshot.manifests}
    return [
        (finding.fix.applicability.value, changes(files, finding.fix))
        for finding in flat(report.findings)
        if finding.code == code and finding.fix
    ]


def changes(files, fix):
    changed = []
    for path in dict.fromkeys(edit.path for edit in fix.edits):
        made = rewriting.rewrite(files[path], [e for e in fix.edits if e.path == path])
        assert made.held == ()
        before, after = (m.text.splitlines() for m in (files[path], made.manifest))
        diff = [*difflib.unified_diff(before, after, lineterm="", n=0)][2:]
        changed += [
            f"{line[0]} {line[1:].strip()}".strip() for line in diff if not line.startswith("@@")
        ]
    return changed


def titles(code, text):
    report = judge(sketch(text), all_rules().values(), KNOWN)
    return [f.fix.title for f in flat(report.findings) if f.code == code and f.fix]


def requirements(*lines):
    return "requirements.txt: |\n" + textwrap.indent("\n".join(lines), "  ")


def environment(*conda, pip=(), channels="", name="x", variables=()):
    lines = [f"name: {name}", *([f"channels: [{channels}]"] if channels else []), "dependencies:"]
    lines += [f"  - {item}" for item in conda]
    lines += ["  - pip", "  - pip:", *(f"    - {item}" for item in pip)] if pip else []
    lines += ["variables:", *(f"  {line}" for line in variables)] if variables else []
    return "environment.yml: |\n" + textwrap.indent("\n".join(lines), "  ")


def project(text, name="pyproject.toml"):
    return f"{name}: |\n" + textwrap.indent(textwrap.dedent(text).strip(), "  ")


UV = """
    [project]
    name = "x"
    dependencies = ["torch==2.1.2+cu118", "torchvision==0.16.2+cu118"]
    [tool.uv]
    package = false
"""
POETRY = """
    [tool.poetry.dependencies]
    python = "3.10"
    torch = "2.1.2+cu118"
"""
PIXI = """
    [workspace]
    channels = ["conda-forge"]
    platforms = ["linux-64"]
    [pypi-dependencies]
    torch = "==2.1.2+cu118"
"""
INDEX_OF_TABLE = [
    "+",
    "+ [[tool.uv.index]]",
    '+ name = "pytorch-cu118"',
    f'+ url = "{WHL}/cu118"',
    "+ explicit = true",
    "+",
    "+ [tool.uv.sources]",
    '+ torch = { index = "pytorch-cu118" }',
    '+ torchvision = { index = "pytorch-cu118" }',
]
SAFE, UNSAFE, DISPLAY = "safe", "unsafe", "display"


@pytest.mark.parametrize(
    ("code", "text", "worth", "changed"),
    [
        pytest.param(
            "DEC701",
            requirements("# of ours", "torch==2.1.2+cu118", "numpy"),
            SAFE,
            [f"+ --extra-index-url {WHL}/cu118"],
            id="an index for pip stands in front",
        ),
        pytest.param(
            "DEC701",
            requirements("--index-url https://pypi.org/simple", "torch==2.1.2+cu118"),
            SAFE,
            [f"+ --extra-index-url {WHL}/cu118"],
            id="an index stands below the one that would drop it",
        ),
        pytest.param(
            "DEC701",
            environment("python=3.10", pip=["torch==2.1.2+cu118"]),
            SAFE,
            [f"+ - --extra-index-url {WHL}/cu118"],
            id="an index of an environment file is an item for pip",
        ),
        pytest.param("DEC701", project(UV), SAFE, INDEX_OF_TABLE, id="uv binds each to its index"),
        pytest.param(
            "DEC701",
            project(POETRY),
            SAFE,
            [
                '- torch = "2.1.2+cu118"',
                '+ torch = { version = "2.1.2+cu118", source = "pytorch-cu118" }',
                "+",
                "+ [[tool.poetry.source]]",
                '+ name = "pytorch-cu118"',
                f'+ url = "{WHL}/cu118"',
                '+ priority = "explicit"',
            ],
            id="poetry binds it to its source",
        ),
        pytest.param(
            "DEC701",
            project(PIXI, "pixi.toml"),
            UNSAFE,
            ["+", "+ [pypi-options]", f'+ extra-index-urls = ["{WHL}/cu118"]'],
            id="pixi gives an index to all",
        ),
        pytest.param(
            "DEC701",
            requirements("torch-scatter==2.1.2+pt21cu118"),
            UNSAFE,
            ["+ --find-links https://data.pyg.org/whl/torch-2.1.0+cu118.html"],
            id="what a page of links has is less certain",
        ),
        pytest.param(
            "DEC701",
            requirements(f"--extra-index-url {WHL}/torch_stable.html", "torch==1.13.1+cu117"),
            UNSAFE,
            [
                f"- --extra-index-url {WHL}/torch_stable.html",
                f"+ --extra-index-url {WHL}/cu117",
            ],
            id="a page that is given as an index gives way",
        ),
        pytest.param(
            "DEC702",
            requirements(f"-f {WHL}/cu113/torch_stable.html", "torch==1.13.1+cu116"),
            UNSAFE,
            [f"- -f {WHL}/cu113/torch_stable.html", f"+ -f {WHL}/cu116/torch_stable.html"],
            id="a page stays a page, of the pin's CUDA",
        ),
        pytest.param(
            "DEC702",
            requirements(f"--extra-index-url {WHL}/cu118", "torch==2.1.2+cu121"),
            UNSAFE,
            [f"- --extra-index-url {WHL}/cu118", f"+ --extra-index-url {WHL}/cu121"],
            id="an index gives way to that of the pin",
        ),
        pytest.param(
            "DEC702",
            requirements(
                f"--extra-index-url {WHL}/cu118", "torch==2.1.2+cu118", "torchvision==0.16.2+cu121"
            ),
            UNSAFE,
            [f"+ --extra-index-url {WHL}/cu121"],
            id="an index that serves another pin stays",
        ),
        pytest.param(
            "DEC702",
            requirements(f"--extra-index-url {WHL}/cu116", "torch>=1.13.1"),
            UNSAFE,
            ["- torch>=1.13.1", "+ torch==1.13.1+cu116"],
            id="a range is pinned to what its index has",
        ),
        pytest.param(
            "DEC702",
            requirements(f"--index-url {WHL}/cu117", "torch==2.1.0"),
            UNSAFE,
            [f"- --index-url {WHL}/cu117", f"+ --index-url {WHL}/cu118"],
            id="an index without the release gives way to the nearest of its major",
        ),
        pytest.param(
            "DEC702",
            requirements(f"--extra-index-url {WHL}/cu116", "torch>=2.0"),
            DISPLAY,
            [],
            id="no index of the CUDA major has what a range allows",
        ),
        pytest.param(
            "DEC703",
            requirements("pkg-resources==0.0.0", "numpy"),
            SAFE,
            ["- pkg-resources==0.0.0"],
            id="what nobody has published is removed",
        ),
        pytest.param(
            "DEC703",
            requirements("xformers~=0.16 ; sys_platform == 'linux'"),
            UNSAFE,
            [
                "- xformers~=0.16 ; sys_platform == 'linux'",
                "+ xformers~=0.0.16 ; sys_platform == 'linux'",
            ],
            id="the only version that can have been meant",
        ),
        pytest.param(
            "DEC703",
            requirements("torch==1.6.0+cu101", "torchvision==1.6.0+cu101", f"-f {WHL}/x.html"),
            UNSAFE,
            ["- torchvision==1.6.0+cu101", "+ torchvision==0.7.0+cu101"],
            id="a version keeps its label",
        ),
        pytest.param(
            "DEC703",
            requirements(f"-f {WHL}/torch_stable.html", "torch==1.6.0+cu110"),
            DISPLAY,
            [],
            id="several builds are as near",
        ),
        pytest.param(
            "DEC703",
            environment("pytorch-cuda=11.3", "python", channels="pytorch, nvidia"),
            UNSAFE,
            ["- - pytorch-cuda=11.3", "+ - pytorch-cuda=11.6"],
            id="the nearest that conda has",
        ),
        pytest.param(
            "DEC704",
            requirements(f"torch==2.1.2+cu118 --index-url {WHL}/cu118  # why", "numpy"),
            SAFE,
            [
                f"- torch==2.1.2+cu118 --index-url {WHL}/cu118  # why",
                f"+ --extra-index-url {WHL}/cu118",
                "+ torch==2.1.2+cu118  # why",
            ],
            id="an index behind a requirement gets its own line",
        ),
        pytest.param(
            "DEC704",
            requirements(f"--extra-index-url {WHL}/cu118", f"torch -i {WHL}/cu118"),
            SAFE,
            [f"- torch -i {WHL}/cu118", "+ torch"],
            id="an index that has its own line is not named again",
        ),
        pytest.param(
            "DEC704",
            environment("python", pip=["--pre torch  # why"]),
            UNSAFE,
            ["- - --pre torch  # why", "+ - --pre  # why", "+ - torch"],
            id="a requirement behind an option gets its own line",
        ),
        pytest.param(
            "DEC704",
            requirements("numpy --pre"),
            UNSAFE,
            ["- numpy --pre", "+ --pre", "+ numpy"],
            id="an option that is no index stands above",
        ),
        pytest.param(
            "DEC704",
            requirements("- numpy"),
            UNSAFE,
            ["- - numpy", "+ numpy"],
            id="a dash is dropped",
        ),
        pytest.param(
            "DEC704",
            requirements(f"--extra-index-url {WHL}/cu118", "-i https://pypi.org/simple", "torch"),
            UNSAFE,
            ["+ -i https://pypi.org/simple", "- -i https://pypi.org/simple"],
            id="an index moves below the one that drops it",
        ),
        pytest.param(
            "DEC704",
            requirements(f"--index-url {WHL}/cu128", "torch==2.9.1", "gymnasium"),
            UNSAFE,
            [f"- --index-url {WHL}/cu128", f"+ --extra-index-url {WHL}/cu128"],
            id="an index leaves PyPI there",
        ),
    ],
)
def test_an_index_or_a_version_is_mended(code, text, worth, changed):
    assert fixes(code, text) == [(worth, changed)]


@pytest.mark.parametrize(
    ("code", "text", "worth", "changed"),
    [
        pytest.param(
            "DEC707",
            environment("pytorch=2.6.0", "pytorch-cuda=12.4", channels="pytorch, nvidia"),
            UNSAFE,
            [
                "- channels: [pytorch, nvidia]",
                "+ channels: [conda-forge]",
                "- - pytorch=2.6.0",
                "- - pytorch-cuda=12.4",
                "+ - pytorch-gpu=2.6.0",
                "+ - cuda-version=12.6",
            ],
            id="conda-forge takes the place of the channel",
        ),
        pytest.param(
            "DEC707",
            environment("pytorch::pytorch>=2.6.0", "torchvision", channels="pytorch, defaults"),
            UNSAFE,
            [
                "- channels: [pytorch, defaults]",
                "+ channels: [conda-forge, defaults]",
                "- - pytorch::pytorch>=2.6.0",
                "+ - pytorch>=2.6.0",
            ],
            id="without a CUDA that was asked for, none is",
        ),
        pytest.param(
            "DEC708",
            environment("pytorch=2.3.1", "cudatoolkit=12.1", channels="pytorch"),
            UNSAFE,
            [
                "- channels: [pytorch]",
                "+ channels: [pytorch, nvidia]",
                "- - cudatoolkit=12.1",
                "+ - pytorch-cuda=12.1",
            ],
            id="a build of the channel is selected, from the channels that it needs",
        ),
        pytest.param(
            "DEC708",
            environment("pytorch=2.6.0", "cudatoolkit=12.1", channels="conda-forge"),
            UNSAFE,
            [
                "- - pytorch=2.6.0",
                "- - cudatoolkit=12.1",
                "+ - pytorch-gpu=2.6.0",
                "+ - cuda-version=12.6",
            ],
            id="a build of conda-forge is asked for by name",
        ),
        pytest.param(
            "DEC708",
            environment("python=3.11", "cudatoolkit=12.1", pip=["torch==2.3.1"]),
            UNSAFE,
            ["- - cudatoolkit=12.1"],
            id="wheels bring their own CUDA",
        ),
        pytest.param(
            "DEC708",
            environment("python=3.11", "cudatoolkit=12.1", channels="conda-forge"),
            UNSAFE,
            ["- - cudatoolkit=12.1", "+ - cuda-version=12.1"],
            id="for whoever uses it",
        ),
        pytest.param(
            "DEC708",
            environment("jaxlib", "cudatoolkit=12.1", channels="conda-forge"),
            UNSAFE,
            ["- - cudatoolkit=12.1", "+ - cuda-version=12.1"],
            id="a framework whose build for CUDA has no name",
        ),
        pytest.param(
            "DEC708",
            environment(
                "pytorch=2.6.0", "cudatoolkit=12.1", "cuda-version=12.6", channels="conda-forge"
            ),
            UNSAFE,
            ["- - pytorch=2.6.0", "- - cudatoolkit=12.1", "+ - pytorch-gpu=2.6.0"],
            id="the release is said already",
        ),
        pytest.param(
            "DEC709",
            environment("pytorch", "cudatoolkit=11.8", channels="pytorch, conda-forge"),
            UNSAFE,
            [
                "- channels: [pytorch, conda-forge]",
                "+ channels: [pytorch, nvidia, conda-forge]",
                "- - cudatoolkit=11.8",
                "+ - pytorch-cuda=11.8",
            ],
            id="pytorch-cuda selects a newer build",
        ),
        pytest.param(
            "DEC709",
            environment("pytorch=1.9.0", "cudatoolkit=11.3", channels="pytorch"),
            UNSAFE,
            ["- - cudatoolkit=11.3", "+ - cudatoolkit=11.1"],
            id="the nearest release of the CUDA major",
        ),
        pytest.param(
            "DEC709",
            environment("pytorch=2.6.0", "cudatoolkit=11.8", channels="conda-forge"),
            DISPLAY,
            [],
            id="no build of the CUDA major",
        ),
        pytest.param(
            "DEC710",
            environment("pytorch", "pytorch-cuda=11.6", channels="pytorch, nvidia"),
            UNSAFE,
            ["- - pytorch", "+ - pytorch=1.13.1"],
            id="the last version with a build",
        ),
        pytest.param(
            "DEC710",
            environment("pytorch", "pytorch-cuda=12.1", channels="conda-forge, pytorch, nvidia"),
            UNSAFE,
            ["- - pytorch", "+ - pytorch::pytorch"],
            id="the channel with the builds",
        ),
        pytest.param(
            "DEC710",
            environment("pytorch>=2.1", channels="conda-forge", name="my-gpu"),
            UNSAFE,
            ["- - pytorch>=2.1", "+ - pytorch-gpu>=2.1"],
            id="the build for CUDA has a name",
        ),
        pytest.param(
            "DEC710",
            environment("jaxlib>=0.4", channels="conda-forge", name="my-gpu"),
            UNSAFE,
            ["- - jaxlib>=0.4", "+ - jaxlib >=0.4 *cuda*"],
            id="the build for CUDA has a pattern, and a range",
        ),
        pytest.param(
            "DEC710",
            environment("jaxlib=0.4.31", channels="conda-forge", name="my-gpu"),
            UNSAFE,
            ["- - jaxlib=0.4.31", "+ - jaxlib=0.4.31=*cuda*"],
            id="the build for CUDA has a pattern, and a version",
        ),
        pytest.param(
            "DEC711",
            environment("pytorch-cuda=12.1", channels="conda-forge, nvidia"),
            UNSAFE,
            ["- channels: [conda-forge, nvidia]", "+ channels: [pytorch, conda-forge, nvidia]"],
            id="the channel that has it stands in front",
        ),
        pytest.param(
            "DEC711",
            environment("pytorch-cuda=12.1", channels="pytorch, conda-forge"),
            UNSAFE,
            ["- channels: [pytorch, conda-forge]", "+ channels: [pytorch, nvidia, conda-forge]"],
            id="what it depends on stands behind",
        ),
        pytest.param(
            "DEC711",
            environment("cuda-cudart=12.1", "cupy", channels="nvidia, conda-forge"),
            UNSAFE,
            ["- channels: [nvidia, conda-forge]", "+ channels: [conda-forge, nvidia]"],
            id="a channel moves behind another",
        ),
        pytest.param(
            "DEC713",
            environment(
                "pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0",
                "pytorch-mutex=1.0=cuda",
                "blas=1.0=mkl",
                "conda-forge::numpy=1.26.4=py311h64a7726_0",
                "jaxlib=*=*cuda*",
            ),
            UNSAFE,
            [
                "- - pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0",
                "- - pytorch-mutex=1.0=cuda",
                "- - blas=1.0=mkl",
                "- - conda-forge::numpy=1.26.4=py311h64a7726_0",
                "+ - pytorch=2.1.0=*cuda11.8*",
                "+ - pytorch-mutex=1.0=cuda*",
                "+ - blas=1.0=mkl*",
                "+ - conda-forge::numpy=1.26.4",
            ],
            id="builds are dropped, their CUDA stays",
        ),
        pytest.param(
            "DEC717",
            environment("python", variables=["CUDA_HOME: $CONDA_PREFIX", "A: b"]),
            UNSAFE,
            ["- CUDA_HOME: $CONDA_PREFIX"],
            id="a variable that never expands",
        ),
        pytest.param(
            "PTH410",
            environment("python", variables=["LD_LIBRARY_PATH: /usr/lib", "A: b"]),
            UNSAFE,
            ["- LD_LIBRARY_PATH: /usr/lib"],
            id="a list that replaces the shell's",
        ),
        pytest.param(
            "DEC718",
            environment("pytorch=2.1.0", "mkl>=2020", channels="pytorch, conda-forge"),
            UNSAFE,
            ["- - mkl>=2020", "+ - mkl>=2020,<2024.1"],
            id="a bound beside the one that is there",
        ),
        pytest.param(
            "DEC718",
            environment("pytorch=2.1.0", "python", channels="pytorch, conda-forge"),
            UNSAFE,
            ["+ - mkl<2024.1"],
            id="a line more",
        ),
        pytest.param(
            "DEC719",
            requirements("torch==2.1.0", "numpy>=2.0  # why"),
            UNSAFE,
            ["- numpy>=2.0  # why", "+ numpy<2  # why"],
            id="a bound in the place of another",
        ),
    ],
)
def test_what_is_asked_of_conda_is_mended(code, text, worth, changed):
    assert fixes(code, text) == [(worth, changed)]


@pytest.mark.parametrize(
    ("code", "text", "worth", "changed"),
    [
        pytest.param(
            "DUP102",
            environment("pytorch=2.1.2", "torchvision", pip=["torch>=2.0", "requests"]),
            UNSAFE,
            ["- - torch>=2.0"],
            id="the family is conda's",
        ),
        pytest.param(
            "DUP102",
            environment("pytorch=2.1.2", pip=["torch==2.1.2", "torchaudio"]),
            UNSAFE,
            ["- - pytorch=2.1.2"],
            id="the family is pip's",
        ),
        pytest.param(
            "DUP102",
            environment("pytorch=2.1.2", pip=["torch", "torchaudio"]),
            DISPLAY,
            [],
            id="the family is pip's, the pin conda's",
        ),
        pytest.param(
            "DUP102",
            environment("pytorch=2.1.2", "pytorch-cuda=12.1", pip=["torch", "torchaudio"]),
            UNSAFE,
            ["- - torch"],
            id="conda selects the CUDA",
        ),
        pytest.param(
            "DUP102",
            environment("python", "numpy", pip=["numpy", "requests"]),
            UNSAFE,
            ["- - numpy"],
            id="all else is pip's",
        ),
        pytest.param(
            "DUP102",
            environment("scipy", "python-dotenv>=1.0", pip=["python-dotenv>=1.0", "requests"]),
            UNSAFE,
            ["- - python-dotenv>=1.0"],
            id="the same bound on both sides",
        ),
        pytest.param(
            "DUP102",
            environment("pytorch=2.1.2", pip=["torch==2.3.0"]),
            DISPLAY,
            [],
            id="another version",
        ),
        pytest.param(
            "DUP102",
            environment("pytorch=2.1.2", pip=["torch==2.1.2+cu118"]),
            DISPLAY,
            [],
            id="another build",
        ),
        pytest.param(
            "DUP102",
            environment("onnxruntime", pip=["onnxruntime-gpu"]),
            DISPLAY,
            [],
            id="another project of the same import",
        ),
        pytest.param(
            "DUP104",
            requirements("nvidia-nccl-cu11==2.14.3", "nvidia-nccl-cu12==2.20.5", "torch==2.3.1"),
            UNSAFE,
            ["- nvidia-nccl-cu11==2.14.3"],
            id="the framework tells which wheel",
        ),
        pytest.param(
            "DUP104",
            requirements("nvidia-nccl-cu11==2.14.3", "nvidia-nccl-cu12==2.20.5"),
            DISPLAY,
            [],
            id="nobody can tell which wheel",
        ),
        pytest.param(
            "DUP105",
            requirements("cupy-cuda11x", "cupy-cuda12x", "torch==2.3.1"),
            UNSAFE,
            ["- cupy-cuda11x"],
            id="the framework tells which packing",
        ),
        pytest.param(
            "DUP105",
            requirements("opencv-python", "opencv-contrib-python"),
            DISPLAY,
            [],
            id="nobody can tell which packing",
        ),
        pytest.param(
            "CUD201",
            requirements("torch==2.3.1", "nvidia-cublas-cu11==11.10.3.66"),
            UNSAFE,
            ["- nvidia-cublas-cu11==11.10.3.66"],
            id="a wheel of another major",
        ),
        pytest.param(
            "CUD201",
            environment("python", "cudatoolkit=11.8", pip=["torch==2.1.2"]),
            UNSAFE,
            ["- - cudatoolkit=11.8"],
            id="conda's CUDA of another major",
        ),
        pytest.param(
            "CUD201",
            environment("python", "cuda-cudart=12.1", pip=["torch==2.3.1", "cupy-cuda11x==13.3.0"]),
            UNSAFE,
            ["- - cupy-cuda11x==13.3.0", "+ - cupy-cuda12x==13.3.0"],
            id="a sibling for the framework's major",
        ),
        pytest.param(
            "CUD201",
            requirements("tensorflow==2.15.0", "nvidia-cudnn-cu11==8.6.0.163"),
            UNSAFE,
            ["- nvidia-cudnn-cu11==8.6.0.163", "+ nvidia-cudnn-cu12"],
            id="a part that the framework opens gives way to its sibling",
        ),
        pytest.param(
            "CUD201",
            requirements("nvidia-cublas-cu11==11.10.3.66", "nvidia-cudnn-cu12==9.1.0.70"),
            DISPLAY,
            [],
            id="no framework",
        ),
        pytest.param(
            "CUD201",
            requirements("torch==2.1.2+cu121", "torchvision==0.16.2+cu118", f"-i {WHL}"),
            DISPLAY,
            [],
            id="another build of its own",
        ),
        pytest.param(
            "CUD205",
            requirements("torch==2.4.0+cu121", "torchvision==0.20.1+cu124", f"-f {WHL}/x.html"),
            UNSAFE,
            ["- torchvision==0.20.1+cu124", "+ torchvision==0.19.0+cu121"],
            id="the release and the build",
        ),
        pytest.param(
            "CUD205",
            requirements("torch==2.4.0", "torchaudio==2.3.0 ; python_version > '3'"),
            UNSAFE,
            [
                "- torchaudio==2.3.0 ; python_version > '3'",
                "+ torchaudio==2.4.0 ; python_version > '3'",
            ],
            id="the release, with its marker",
        ),
        pytest.param(
            "CUD205",
            requirements("torch==2.2.0", "torchvision==0.15.1+cu118"),
            DISPLAY,
            [],
            id="a build that the framework does not tell",
        ),
        pytest.param(
            "DEC720",
            environment("python=3.12", pip=["torch==1.13.1"]),
            DISPLAY,
            [],
            id="a Python or a release",
        ),
    ],
)
def test_of_what_excludes_each_other_one_stays(code, text, worth, changed):
    assert fixes(code, text) == [(worth, changed)]


@pytest.mark.parametrize(
    ("code", "text", "worth", "changed"),
    [
        pytest.param(
            "DEC724",
            requirements("toml = 0.10.2  # why"),
            SAFE,
            ["- toml = 0.10.2  # why", "+ toml==0.10.2  # why"],
            id="conda's operator in a file of pip's",
        ),
        pytest.param(
            "DEC724",
            requirements(*(f"name{n}=1" for n in range(7))),
            SAFE,
            [*(f"- name{n}=1" for n in range(7)), *(f"+ name{n}==1" for n in range(7))],
            id="one mistake on many lines",
        ),
        pytest.param(
            "DEC724",
            environment("python", pip=['"toml=0.10.2"']),
            SAFE,
            ['- - "toml=0.10.2"', '+ - "toml==0.10.2"'],
            id="inside of quotes",
        ),
        pytest.param(
            "DEC724",
            requirements("torch --upgrade"),
            UNSAFE,
            ["- torch --upgrade", "+ torch"],
            id="an option of the command line",
        ),
        pytest.param(
            "DEC724",
            requirements(r"-r sub\base.txt"),
            SAFE,
            [r"- -r sub\base.txt", "+ -r sub/base.txt"],
            id="a path of Windows",
        ),
        pytest.param(
            "DEC724",
            project('[project]\nname = "x"\ndependencies = [\n  "torch=2.1.2",  # why\n]'),
            SAFE,
            ['- "torch=2.1.2",  # why', '+ "torch==2.1.2",  # why'],
            id="an item of TOML",
        ),
        pytest.param(
            "DEC724",
            environment("numpy: 1.26.4", "python"),
            SAFE,
            ["- - numpy: 1.26.4", "+ - numpy=1.26.4"],
            id="a colon in the place of an operator",
        ),
        pytest.param(
            "DEC724",
            "environment.yml: |\n  channels: conda-forge\n  dependencies: [python]\n",
            SAFE,
            ["- channels: conda-forge", "+ channels: [conda-forge]"],
            id="a channel that is no list",
        ),
    ],
)
def test_a_line_that_its_tool_refuses_is_written_as_it_is_meant(code, text, worth, changed):
    assert fixes(code, text) == [(worth, changed)]


def test_the_lines_of_a_lost_pip_section_move_into_the_last_one():
    text = """\
        environment.yml: |
          dependencies:
            - pip
            # PyTorch
            - pip:
                # of CUDA 12
                - torch==2.1.2  # why

                - torchaudio
            - python
            - pip:
              - numpy
    """

    assert fixes("DEC715", textwrap.dedent(text)) == [
        (
            UNSAFE,
            [
                "- - pip:",
                "- # of CUDA 12",
                "- - torch==2.1.2  # why",
                "-",
                "- - torchaudio",
                "+ # of CUDA 12",
                "+ - torch==2.1.2  # why",
                "+",
                "+ - torchaudio",
            ],
        )
    ]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        pytest.param(
            "DEC701",
            requirements(f"torch==2.1.2+cu118 --index-url {WHL}/cu118"),
            id="an index that is lost is mended by its own rule",
        ),
        pytest.param(
            "DEC701",
            requirements("torch==1.6.0+cu110"),
            id="no index has what never was",
        ),
        pytest.param(
            "DEC701",
            project('[project]\nname = "x"\ndependencies = ["torch==2.1.2+cu118"]'),
            id="a project of pip's has no place for an index",
        ),
        pytest.param(
            "DEC701",
            "Dockerfile: |\n  FROM python:3.11\n  RUN pip install torch==2.1.2+cu118\n",
            id="a command is not edited",
        ),
        pytest.param(
            "DEC704",
            project(
                f"""
                [project]
                name = "x"
                dependencies = ["torch==2.1.2", "requests", "gymnasium"]
                [[tool.uv.index]]
                url = "{WHL}/cu118"
                default = true
                """
            ),
            id="uv's indexes are bound in another way",
        ),
        pytest.param(
            "DEC704", requirements("--hash=sha256:00"), id="nobody knows whose hash it is"
        ),
        pytest.param(
            "DEC707",
            environment("pytorch=2.6.0", "cpuonly", channels="pytorch"),
            id="the CPU is meant",
        ),
        pytest.param(
            "DEC711",
            environment("cuda-cudart=12.1", "cupy", channels="nvidia, nvidia, conda-forge"),
            id="a channel that stands twice",
        ),
        pytest.param(
            "DEC702",
            requirements(
                "-f https://data.pyg.org/whl/torch-1.13.0+cu117.html",
                "torch-scatter==2.1.1+cu117",
                "torch-sparse==0.6.17+cu116",
            ),
            id="no address of the pin's own builds is known",
        ),
        pytest.param(
            "DEC707",
            environment("pytorch>=99", channels="pytorch"),
            id="conda-forge has no such version either",
        ),
        pytest.param(
            "DEC713",
            environment("numpy[version=1.26.4,build=py311h64a7726_0]"),
            id="a build in brackets",
        ),
        pytest.param(
            "DEC718",
            environment("pytorch=2.1.0", "mkl[version='>=2020']", channels="pytorch, conda-forge"),
            id="a bound in brackets",
        ),
        pytest.param("DEC724", requirements("torch==latest"), id="nobody knows the version"),
        pytest.param(
            "DEC715",
            "environment.yml: |\n  dependencies: [python]\n  dependencies: [numpy]\n",
            id="a key that stands twice",
        ),
    ],
)
def test_where_nothing_is_certain_nothing_is_fixed(code, text):
    assert fixes(code, text) == []


def test_a_choice_names_its_ways():
    lines = ("nvidia-nccl-cu11==2.14.3", "nvidia-nccl-cu12==2.20.5")

    assert titles("DUP104", requirements(*lines)) == [f"keep one: {' or '.join(lines)}"]


def test_a_line_that_a_comment_explains_is_left_to_a_person():
    text = environment("imagecodecs", pip=("imagecodecs==2024.6.1",))
    explained = text.replace(
        "- imagecodecs==", "# jpeg-xl is in pip's alone\n      - imagecodecs=="
    )
    assert fixes("DUP102", explained) == [(DISPLAY, [])]


def test_a_page_of_links_given_as_an_index_gets_no_line_of_its_own():
    page = "https://data.pyg.org/whl/torch-1.12.0+cpu.html"
    text = f"requirements.txt: |\n  torch-scatter>=2.0.9 --extra-index-url {page}\n"
    (finding,) = judge(sketch(text), [all_rules()["DEC704"]], catalog.load()).findings
    assert finding.fix is None


@pytest.mark.parametrize(
    ("build", "kept"),
    [
        ("mkl_py36h9f1c0a1_0", "mkl*"),
        ("1_h6e990d7_netlib", "*netlib*"),
        ("nompi_py310h_100", "nompi*"),
        ("external_0", "external*"),
        ("py311h64a7726_0", ""),
    ],
)
def test_what_a_build_says_of_its_kind_is_kept(build, kept):
    text = environment(f"x=1.0={build}")
    (finding,) = judge(sketch(text), [all_rules()["DEC713"]], catalog.load()).findings
    (edit,) = finding.fix.edits
    assert edit.text == (f"x=1.0={kept}" if kept else "x=1.0")
