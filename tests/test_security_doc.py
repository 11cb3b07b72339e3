"""docs/security.md: what it names is there, no requirement of levels 1 and 2 is left out, and its counts are those of its tables."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
STATUSES = ("Test", "Code", "Does not apply", "Open, planned", "Open")
# OWASP ASVS 5.0.0: how many requirements of level 1 and of level 2 each chapter has.
ASKED = {
    1: (8, 19),
    2: (4, 7),
    3: (8, 11),
    4: (2, 8),
    5: (4, 5),
    6: (13, 22),
    7: (6, 12),
    8: (4, 3),
    9: (4, 3),
    10: (5, 24),
    11: (3, 11),
    12: (3, 6),
    13: (1, 12),
    14: (2, 7),
    15: (3, 10),
    16: (0, 16),
    17: (0, 7),
}
ID = re.compile(r"V(\d+)\.(\d+)\.(\d+)")
NAMED = re.compile(r"`([\w./-]+\.(?:py|md|html|js|txt|toml)|Makefile)(?:::(\w+)| ([\w.-]+)(?:\(\))?)?`")


def rows() -> list[tuple[list[str], int, str]]:
    """(ids, level, what answers) of each line of the tables."""
    found = re.findall(r"^\| (V[^|]+) \| ([12]) \| [^|]+ \| ([^|]+) \|$", TEXT, re.M)
    return [(_ids(ids), int(level), answer) for ids, level, answer in found]


def _ids(text: str) -> list[str]:
    """«V1.3.8–V1.3.9» is all from the first to the last."""
    found = []
    for part in text.split(", "):
        first, _dash, last = part.partition("–")
        begin, end = ID.fullmatch(first), ID.fullmatch(last or first)
        assert begin and end and begin[1] == end[1] and begin[2] == end[2], part
        found += [f"V{begin[1]}.{begin[2]}.{number}" for number in range(int(begin[3]), int(end[3]) + 1)]
    return found


def _status(answer: str) -> str:
    status = next((one for one in STATUSES if answer.startswith(f"{one}: ")), None)
    assert status, answer
    return status


def test_every_line_of_a_table_is_read() -> None:
    assert len(rows()) == len(re.findall(r"^\| V", TEXT, re.M))


def test_no_requirement_is_left_out_or_stands_twice() -> None:
    found = [(id_, level) for ids, level, _answer in rows() for id_ in ids]
    assert [id_ for id_, times in Counter(id_ for id_, _level in found).items() if times > 1] == []
    counted = Counter((int(id_[1:].partition(".")[0]), level) for id_, level in found)
    assert {chapter: (counted[chapter, 1], counted[chapter, 2]) for chapter in ASKED} == ASKED
    assert len(found) == sum(one + two for one, two in ASKED.values())


def test_each_stands_in_its_chapter() -> None:
    for chapter, part in re.findall(r"^## V(\d+) (.*?)(?=^## |\Z)", TEXT, re.M | re.S):
        assert set(re.findall(r"^\| V(\d+)\.", part, re.M)) == {chapter}


def test_what_is_named_is_there() -> None:
    for path, function, symbol in NAMED.findall(TEXT):
        content = (ROOT / path).read_text(encoding="utf-8")
        assert not function or re.search(rf"^(async )?def {function}\(", content, re.M), f"{path}::{function}"
        assert not symbol or re.search(rf"\b{re.escape(symbol)}\b", content), f"{path} {symbol}"


def test_every_name_is_read() -> None:
    """What the pattern above does not read would be looked at by nobody."""
    answers = "\n".join(answer for *_, answer in rows())
    read = {one[0] for one in NAMED.finditer(answers)}
    assert [one for one in re.findall(r"`[^`]+`", answers) if re.search(r"\.(py|md|html|js)\b|::|/.+ ", one) and one not in read] == []


def test_a_line_names_what_it_claims() -> None:
    for ids, _level, answer in rows():
        if _status(answer) == "Test":
            assert "`tests/" in answer, ids


def test_the_counts_are_those_of_the_tables() -> None:
    counted = Counter(dict.fromkeys(STATUSES, 0))
    for ids, _level, answer in rows():
        counted[_status(answer)] += len(ids)
    said = re.search(r"^Counts of (\d+) requirements\. (.+)\.$", TEXT, re.M)
    assert said and int(said[1]) == sum(counted.values())
    assert {name: int(number) for name, number in re.findall(r"([A-Z][A-Za-z, ]+): (\d+)", said[2])} == dict(counted)
