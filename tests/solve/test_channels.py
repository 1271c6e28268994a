"""A channel's name, URL or folder becomes the addresses that conda would read."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.solve.channels import addresses, masked


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("conda-forge", ["https://conda.anaconda.org/conda-forge"]),
        ("nvidia/label/cuda-12.1.0", ["https://conda.anaconda.org/nvidia/label/cuda-12.1.0"]),
        ("https://conda.anaconda.org/pytorch/", ["https://conda.anaconda.org/pytorch"]),
        ("pkgs/main", ["https://repo.anaconda.com/pkgs/main"]),
        ("file:///srv/channel", ["file:///srv/channel"]),
        ("/srv/channel", ["file:///srv/channel"]),
        ("./channel", [Path.cwd().joinpath("channel").as_uri()]),
        ("~/channel", [Path.home().joinpath("channel").as_uri()]),
    ],
)
def test_a_channel_lies_where_conda_looks_for_it(channel, expected):
    assert [*addresses(channel, "linux-64")] == expected


@pytest.mark.parametrize(("platform", "parts"), [("linux-64", 2), ("win-64", 3)])
def test_defaults_are_several_channels(platform, parts):
    found = addresses("defaults", platform)
    assert len(found) == parts
    assert found[0] == "https://repo.anaconda.com/pkgs/main"


def test_another_alias_is_obeyed():
    assert addresses("conda-forge", "linux-64", "https://mirror.example/") == (
        "https://mirror.example/conda-forge",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://me:pw@host/c", "https://host/c"),
        ("in 'https://host/t/ab-12/c/'", "in 'https://host/t/****/c/'"),
        ("https://host/c and file:///t", "https://host/c and file:///t"),
    ],
)
def test_credentials_are_not_told(text, told):
    assert masked(text) == told
