from __future__ import annotations

import operator
import random
import re
from contextlib import suppress
from itertools import pairwise

import msgspec
import pytest
import rattler
from hypothesis import assume, given
from hypothesis import strategies as st
from shared_data import repodata_records

from reconciler.model.conda_version import CondaVersion, InvalidCondaVersion, parse_version

COMPARISONS = (operator.lt, operator.le, operator.eq, operator.ne, operator.ge, operator.gt)

# CEP 33, "Examples"; equal versions stand on one line
ASCENDING = [
    ["0.4", "0.4.0"],
    ["0.4.1.rc", "0.4.1.RC"],
    ["0.4.1+local"],
    ["0.4.1+0.local"],
    ["0.4.1", "0.4.1+0"],
    ["0.4.1+1.local"],
    ["0.5a1"],
    ["0.5b3"],
    ["0.5C1"],
    ["0.5"],
    ["0.9.6"],
    ["0.960923"],
    ["1.0"],
    ["1.1dev1"],
    ["1.1_"],
    ["1.1a1"],
    ["1.1.0dev1", "1.1.dev1"],
    ["1.1.a1", "1.1.0a1"],
    ["1.1.0rc1", "1.1.rc1"],
    ["1.1.0.0", "1.1.0", "1.1", "1_1", "1-1", "01.001"],
    ["1.1.post1", "1.1.0post1"],
    ["1.1.1dev"],
    ["1.1.1_"],
    ["1.1.1a"],
    ["1.1.1w"],
    ["1.1.1"],
    ["1.1post1"],
    ["9d"],
    ["9e"],
    ["9"],
    ["1996.07.12", "1996.7.12"],
    ["2024a"],
    ["2024b"],
    ["2024"],
    ["1!0.4.1"],
    ["1!3.1.1.6"],
    ["2!0.4.1"],
]
FLAT = [(place, text) for place, texts in enumerate(ASCENDING) for text in texts]

segments = st.from_regex(r"([0-9]{1,3}|[0-9]{0,2}(dev|post|a|b|rc|w)[0-9]{0,2})", fullmatch=True)
separators = st.sampled_from([".", ".", ".", "_"])
versions = st.builds(
    lambda epoch, first, rest, last, local: (
        epoch + first + "".join(s + t for s, t in rest) + last + local
    ),
    st.sampled_from(["", "", "", "0!", "1!"]),
    segments,
    st.lists(st.tuples(separators, segments), max_size=4),
    st.sampled_from(["", "", "", "_"]),
    st.one_of(st.just(""), st.builds("+{}".format, segments)),
)


def compare(left: object, right: object) -> tuple[bool, ...]:
    return tuple(comparison(left, right) for comparison in COMPARISONS)


def same_as_rattler(left: str, right: str) -> bool:
    ours = compare(parse_version(left), parse_version(right))
    return ours == compare(rattler.Version(left), rattler.Version(right))


@pytest.mark.parametrize(("place", "text"), FLAT)
def test_a_version_stands_where_cep_33_puts_it(place, text):
    version = CondaVersion(text)

    verdicts = [compare(version, CondaVersion(other)) for _, other in FLAT]

    assert verdicts == [compare(place, other_place) for other_place, _ in FLAT]


@pytest.mark.parametrize("texts", [texts for texts in ASCENDING if len(texts) > 1])
def test_equal_versions_have_one_hash(texts):
    assert len({CondaVersion(text) for text in texts}) == 1


@pytest.mark.parametrize(("left", "right"), list(pairwise(text for _, text in FLAT)))
def test_the_table_is_rattlers_order_too(left, right):
    assert same_as_rattler(left, right)


@pytest.mark.parametrize("text", ["1.10", "1.0.0", "1.1.1w", "1!2.0+a.b", "0.4.1.RC", "1.0-1"])
def test_a_version_gives_its_text_back(text):
    assert str(CondaVersion(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "letters and digits"),
        ("1..2", "a segment is empty"),
        (".1", "a segment is empty"),
        ("1.", "a segment is empty"),
        ("_1", "a segment is empty"),
        ("1.0+", "letters and digits"),
        ("+1", "letters and digits"),
        ("1!", "letters and digits"),
        ("a!1", "letters and digits"),
        ("1!2!3", "letters and digits"),
        ("1+a+b", "letters and digits"),
        ("1-2_3", "letters and digits"),
        ("1.2.*", "letters and digits"),
        ("1 2", "letters and digits"),
        ("ü1", "letters and digits"),
        ("1.0~1", "letters and digits"),
        ("__PYTHON_VERSION__", "a segment is empty"),
        ("9" * 5000, "longer than 1000"),
    ],
)
def test_what_is_no_version_is_refused_with_its_text_and_reason(text, why):
    with pytest.raises(InvalidCondaVersion) as refusal:
        CondaVersion(text)

    assert refusal.value.text == text
    assert why in refusal.value.reason
    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize(
    ("version", "prefix", "lies_under"),
    [
        ("1.2.3", "1.2", True),
        ("1.2", "1.2.0", True),
        ("1.2", "1.2.0.0", True),
        ("1.2a", "1.2", True),
        ("1.1.1w", "1.1.1", True),
        ("1.2_", "1.2", True),
        ("1.2+local", "1.2", True),
        ("1.2+a.b", "1.2+a", True),
        ("1.2.dev1", "1.2.dev", True),
        ("2.4.0.th23.cu118", "2.4.0.th23.cu", True),
        ("1!1.2.3", "1!1.2", True),
        ("11.10", "11.1", False),
        ("1.11", "1.1", False),
        ("1.2", "1.2.1", False),
        ("1.3", "1.2", False),
        ("1!1.2", "1.2", False),
        ("1.2", "1.2+a", False),
        ("1.2.3", "1.2.a", False),
    ],
)
def test_a_prefix_ends_at_a_segment(version, prefix, lies_under):
    assert CondaVersion(version).starts_with(CondaVersion(prefix)) is lies_under
    assert rattler.Version(version).starts_with(rattler.Version(prefix)) is lies_under


@pytest.mark.parametrize(
    ("version", "release", "compatible"),
    [
        ("1.4.1", "1.4.1", True),
        ("1.4.9", "1.4.1", True),
        ("1.4.1", "1.4.1a", True),
        ("1.9", "1.4", True),
        ("1.4", "1.4.1", False),
        ("1.5", "1.4.1", False),
        ("2.0", "1.4", False),
    ],
)
def test_a_compatible_release_is_no_older_and_of_the_same_stem(version, release, compatible):
    assert CondaVersion(version).is_compatible_with(CondaVersion(release)) is compatible


def test_conda_is_followed_where_rattler_splits_a_last_underscore_from_its_word():
    # CEP 33: 1.15.1alpha_ ends with the one word alpha_
    assert CondaVersion("1.0_a_") > CondaVersion("1.0_a")
    assert rattler.Version("1.0_a_") < rattler.Version("1.0_a")


@pytest.mark.parametrize(
    ("version", "prefix", "why"),
    [
        ("1.2alpha", "1.2a", "conda lets a word start with a word"),
        ("1.0a", "1.0+0", "conda wants all but the local part equal"),
    ],
)
def test_conda_is_followed_where_rattler_reads_a_prefix_otherwise(version, prefix, why):
    ours = CondaVersion(version).starts_with(CondaVersion(prefix))

    assert ours != rattler.Version(version).starts_with(rattler.Version(prefix)), why


@pytest.mark.parametrize(("version", "prefix"), [("2024b", "2024.0.0"), ("9e", "9.0.0")])
def test_a_word_is_not_forgotten_under_a_longer_prefix_as_rattler_does(version, prefix):
    assert not CondaVersion(version).starts_with(CondaVersion(prefix))
    assert rattler.Version(version).starts_with(rattler.Version(prefix))


def test_a_version_is_written_and_read_as_json():
    written = msgspec.json.encode(CondaVersion("1.1.1w"))

    assert written == b'{"text":"1.1.1w"}'
    assert msgspec.json.decode(written, type=CondaVersion) == CondaVersion("1.1.1w")


def test_json_with_an_unreadable_version_is_refused():
    with pytest.raises(msgspec.ValidationError, match="a segment is empty"):
        msgspec.json.decode(b'{"text":"1..2"}', type=CondaVersion)


def test_a_version_is_not_its_text():
    assert CondaVersion("1.0") != "1.0"


@given(versions)
def test_every_version_gives_its_text_back(text):
    assert str(CondaVersion(text)) == text


@given(versions, versions)
def test_two_versions_stand_in_exactly_one_order(left, right):
    a, b = CondaVersion(left), CondaVersion(right)

    assert [a < b, a == b, a > b].count(True) == 1
    assert (a < b) == (b > a) == (not a >= b)
    assert a != b or hash(a) == hash(b)


@given(versions, versions, versions)
def test_the_order_is_transitive(first, second, third):
    low, middle, high = sorted(map(CondaVersion, (first, second, third)))

    assert low <= middle <= high
    assert low <= high


@given(versions)
def test_zeros_at_the_end_of_segments_change_nothing(text):
    assume(not text.endswith("_") and "+" not in text)

    assert CondaVersion(text) == CondaVersion(f"{text}.0")


@given(versions, versions)
def test_any_two_versions_compare_as_rattler_compares_them(left, right):
    assume(not any(re.search(r"[a-z]_($|[+])", text) for text in (left, right)))

    assert same_as_rattler(left, right)


@given(st.text(max_size=30))
def test_any_text_is_a_version_or_refused(text):
    with suppress(InvalidCondaVersion):
        assert CondaVersion(text) == CondaVersion(text)


def test_every_version_of_the_real_records_sorts_as_rattler_sorts_it():
    texts = sorted({record.version for record in repodata_records()})

    ours = sorted(texts, key=CondaVersion)

    assert len(texts) > 4000
    assert ours == sorted(texts, key=rattler.Version)


def test_neighbours_and_chance_pairs_of_real_versions_compare_as_in_rattler():
    texts = sorted({record.version for record in repodata_records()}, key=CondaVersion)
    ours = {text: CondaVersion(text) for text in texts}
    theirs = {text: rattler.Version(text) for text in texts}
    chance = random.Random(33)
    pairs = list(pairwise(texts)) + [
        (chance.choice(texts), chance.choice(texts)) for _ in range(50_000)
    ]

    different = [
        (left, right)
        for left, right in pairs
        if compare(ours[left], ours[right]) != compare(theirs[left], theirs[right])
    ]

    assert different == []


def test_real_versions_lie_under_real_prefixes_as_in_rattler():
    texts = sorted({record.version for record in repodata_records()}, key=CondaVersion)
    stems = [text.rpartition(".")[0] or text for text in texts]
    chance = random.Random(34)
    pairs = list(zip(texts, stems, strict=True)) + [
        (chance.choice(texts), chance.choice(stems)) for _ in range(50_000)
    ]

    different = [
        (version, prefix)
        for version, prefix in pairs
        if parse_version(version).starts_with(parse_version(prefix))
        != rattler.Version(version).starts_with(rattler.Version(prefix))
    ]

    assert different == []
