from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.collect.secrets import masked, masked_variable

HARMLESS = [
    "- tokenizers==0.15.0",
    "  - tokenizers=0.15.0=py311_0",
    "tiktoken==0.5.2",
    "tiktoken>=0.5; python_version < '3.12'",
    "secretstorage==3.3.3",
    "TOKENIZERS_PARALLELISM: false",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN: 1",
    "https://download.pytorch.org/whl/cu118",
    "https://conda.anaconda.org/conda-forge/linux-64",
    "inner @ git+https://${GIT_TOKEN}@git.example/inner.git",
    "https://$USER:$PASSWORD@host.example/simple",
    "https://conda.example/t/${CONDA_TOKEN}/org",
    "  PIP_TOKEN: ${PIP_TOKEN}",
    "  - pip:",
    "credentials:",
    "git+https://git.example/repo.git@v1.0#egg=repo",
    "someone@host.example",
    'tiktoken = "0.5.2"',
    'azure-keyvault-secrets = "^4.7"',
    "token==1.0",
    "set -gx PATH /bin $PATH",
    "ENV PATH=/opt/bin:$PATH",
    "the bearer of news",
]

SECRET = [
    "https://me:{}@host.example/simple",
    "https://{}@host.example/simple",
    "https://me:{}@x@host.example/simple",
    "--extra-index-url https://me:{}@host.example/simple\nnumpy",
    "-e git+https://{}@git.example/repo.git#egg=repo",
    "https://conda.example/t/{}/org",
    "https://conda.example/t/{}",
    "https://host.example/simple?token={}",
    "https://host.example/simple?a=b&api_key={}&c=d",
    "https://host.example/x.whl?X-Signature={}&c=d",
    "variables:\n  API_TOKEN: {}\n  OTHER: 1\n",
    "variables:\n  api-token: {}",
    "variables:\n  AWS_SECRET_ACCESS_KEY: '{}'\n",
    'variables:\n  "DB_PASSWORD": "{}"\n',
    "variables:\n  DB_PASSWD: {}  # the old one\n",
    "variables: {{API_TOKEN: {}, OTHER: x}}",
    'variables: {{"API_TOKEN":"{}", OTHER: x}}',
    "variables: {{OTHER: x, API_TOKEN: {}}}",
    "variables: {{\n  API_TOKEN: {},\n  OTHER: x}}",
    "variables:\n  API_TOKEN: |\n    {}\n  OTHER: x\n",
    "variables:\n  API_TOKEN: >-\n    a\n\n    {}\n  OTHER: x\n",
    "variables:\n  - API_TOKEN: {}\n  - OTHER: x\n",
    "variables:\r\n  API_TOKEN: {}\r\n  OTHER: x\r\n",
    'variables:\n  API_TOKEN: "a\n    {}"\n  OTHER: x\n',
    "  - API_TOKEN={}",
    "# export HF_TOKEN={}",
    "# password: {}",
    "ENV HF_TOKEN {}",
    "  env API_KEY a {} b",
    "setenv HF_TOKEN {}",
    "set -gx HF_TOKEN '{}'",
    '$env:HF_TOKEN = "{}"',
    "$HF_TOKEN = '{}'",
    'password = "{}"',
    "client_secret = '{}'",
    "password={}",
    'HF_TOKEN = "{}"',
    'API_KEY = """\n{}\n"""',
    'curl -H "Authorization: Bearer {}" https://host.example',
    "--header 'authorization: Basic {}'",
    "bearer {}-more",
]
IN_YAML = [form for form in SECRET if form.startswith("variables")]

HOSTILE = [
    "token\n" + "-" * 300_000,
    "token\n" + "\n" * 300_000,
    "token" * 60_000,
    "://?" + "token" * 60_000,
    "://" * 100_000 + "@",
    "token: " + "\n " * 150_000,
    "token: 'a" * 40_000,
    "token: |\n" + "     \n  \n" * 40_000,
    "token: a\n" * 40_000 + " " * 300_000,
    "token = a\n" * 40_000 + "set " * 60_000,
    'token = """' * 30_000,
    "authorization: bearer " * 20_000,
    "_token_" * 40_000,
    "/t/" * 100_000 + "://",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_kept(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("form", SECRET)
def test_a_secret_is_masked(form: str) -> None:
    assert "hunter2" not in masked(form.format("hunter2"))


@pytest.mark.parametrize("form", SECRET)
def test_a_mask_is_as_long_as_the_secret(form: str) -> None:
    text = form.format("hunter2")

    assert [len(line) for line in masked(text).split("\n")] == [
        len(line) for line in text.split("\n")
    ]


@pytest.mark.parametrize("form", IN_YAML)
def test_yaml_can_still_be_parsed_where_it_is_masked(form: str) -> None:
    text = masked(form.format("hunter2"))

    assert len(list(YAML(typ="safe", pure=True).parse(text))) > 4


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://me:hunter2@host.example/simple", "https://**:*******@host.example/simple"),
        ("  TOKEN: 'hunter2'", "  TOKEN: '*******'"),
        ("  TOKEN: hunter2\n  OTHER: x", "  TOKEN: *******\n  OTHER: x"),
        ("{TOKEN: hunter2, OTHER: x}", "{TOKEN: *******, OTHER: x}"),
        ("{TOKEN: ${{ secrets.T }}}", "{TOKEN: ${{ secrets.T }}}"),
        ("TOKEN: ${{ secrets.T }}abc", "TOKEN: ${{ secrets.T }}***"),
        ("https://${{ secrets.T }}@host/", "https://${{ secrets.T }}@host/"),
    ],
)
def test_what_stands_around_a_secret_is_kept(text: str, kept: str) -> None:
    assert masked(text) == kept


@given(st.text(st.sampled_from("ab :=@/\n'\"{},|>-$?&"), max_size=40))
def test_no_text_changes_its_length_or_its_lines(text: str) -> None:
    text = f"https://token: {text} TOKEN={text}"

    changed = masked(text)

    assert len(changed) == len(text)
    assert [n for n, c in enumerate(changed) if c == "\n"] == [
        n for n, c in enumerate(text) if c == "\n"
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_a_hostile_text_takes_no_time(text: str) -> None:
    start = time.process_time()

    masked(text)

    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("UV_PUBLISH_TOKEN", "pypi-1", "******"),
        ("UV_INDEX_INNER_PASSWORD", "hunter2", "*******"),
        ("UV_INDEX_INNER_USERNAME", "me", "**"),
        ("NVIDIA_API_KEY", "nvapi-1", "*******"),
        ("UV_KEYRING_PROVIDER", "subprocess", "subprocess"),
        ("PIP_INDEX_URL", "https://me:hunter2@host/", "https://**:*******@host/"),
        ("PIP_CONSTRAINT", "constraints.txt", "constraints.txt"),
    ],
)
def test_a_variable_is_masked_by_its_name_or_by_what_it_holds(
    name: str, value: str, kept: str
) -> None:
    assert masked_variable(name, value) == kept
