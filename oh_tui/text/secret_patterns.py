"""How keys look: those of common services, and private keys, which span many lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from oh_tui.text.patterns import pattern


def _shape(start: str, rest: str) -> tuple[str, re.Pattern[str]]:
    """The start of a key and the key, which must not be inside a longer word. The lookbehind
    follows the literal, because `re` searches fast for a leading literal."""
    return start, pattern(rf"{re.escape(start)}(?<![\w-]{re.escape(start)}){rest}")


def _sure(start: str, rest: str) -> tuple[str, re.Pattern[str]]:
    """The same for a start that no word has: it may follow `_` and `-`, as in the name of a tool,
    and a letter, where a long rest is as mixed as keys are."""
    escaped = re.escape(start)
    mixed = "".join(rf"(?={rest[:-2]}{{0,99}}?{kind})" for kind in ("[0-9]", "[A-Z]", "[a-z]"))
    pieces = rf"(?<![A-Za-z0-9]{escaped}){rest}|{mixed}{rest[:-2]}{{24,}}+"
    return start, pattern(rf"{escaped}(?:{pieces})")


_NO_WORD_OF_CODE = r"(?:(?=[a-z0-9]*[A-Z])[A-Za-z0-9]++(?!\w)|[A-Za-z0-9]{20,}+)"
"""The rest of a key whose prefix also starts names in code (`hf_model`, `npm_config_cache`): it has
a capital letter and no further underscore, or is long."""

SHAPES = [
    # only keys have these prefixes: a rest of any length is hidden
    *(
        _sure(f"sk-{kind}-", r"[\w-]++")
        for kind in ("ant", "or", "proj", "svcacct", "admin", "oh", "lf")
    ),
    *(_sure(start, r"\w++") for start in ("sk_live_", "sk_test_", "rk_live_", "rk_test_")),
    *(_sure(f"gh{kind}_", r"[A-Za-z0-9]++") for kind in "pousr"),
    _sure("github_pat_", r"\w++"),
    *(_sure(f"gl{kind}-", r"[\w-]++") for kind in ("pat", "dt", "rt", "ptt", "cbt")),
    *(_sure(f"xox{kind}-", r"[\w-]++") for kind in "abcdeoprs"),
    *(
        _sure(start, r"\w[\w.-]*+")
        for start in (
            *("xapp-", "AIza", "pypi-Ag", "GOCSPX-", "ya29.", "glsa_", "dckr_pat_", "dckr_oat_"),
            *("dop_v1_", "doo_v1_", "dor_v1_", "AGE-SECRET-KEY-", "shpat_", "shpss_", "shpca_"),
            *("shppa_", "sq0atp-", "sq0csp-", "lin_api_", "PMAK-", "pscale_tkn_", "pscale_pw_"),
            *("ATATT3", "xkeysib-", "sntrys_", "sntryu_", "nvapi-", "lsv2_pt_", "lsv2_sk_"),
            *("CFPAT-", "sb_secret_", "glagent-", "glsoat-", "glft-", "glimt-", "ABSKQ"),
        )
    ),
    # a short start may be one of something else: the rest is long and has a digit
    *(
        _shape(start, r"(?=[\w.-]*\d)[\w.-]{8,}+")
        for start in (
            *("SG.", "hvs.", "hvb.", "hvr.", "dp.pt.", "glc_", "r8_", "sgp_", "sbp_", "figd_"),
            *("whsec_", "pplx-", "tskey-", "tvly-", "xai-", "rubygems_", "ntn_", "NRAK-", "phx_"),
            *("nfp_", "bkua_", "CCIPAT_"),
        )
    ),
    # addresses that are keys themselves
    _shape("hooks.slack.com/services/", r"[\w/]{20,}+"),
    _shape("discord.com/api/webhooks/", r"\d{5,}+/[\w-]{20,}+"),
    _shape("api.telegram.org/bot", r"\d{5,}+:[\w-]{20,}+"),
    _shape("gAAAAAB", r"[\w-]++={0,2}"),
    # words have these prefixes too: sk-learn, sk-SK, hf_model, ASIA2026
    _shape("sk-", r"(?:(?=[\w-]*\d)[\w-]++|\w{16,}+)"),
    *(_shape(start, _NO_WORD_OF_CODE) for start in ("hf_", "npm_", "gsk_")),
    _shape("AKIA", r"(?:(?=[A-Z]*\d)[A-Z0-9]++|[A-Z]{16})(?!\w)"),
    _shape("ASIA", r"(?:(?=[A-Z]*\d)[A-Z0-9]{8,}+|[A-Z]{16})(?!\w)"),
    _shape("pypi-", r"[\w-]{50,}+"),
    _shape("gAAAA", r"[\w-]{40,}+={0,2}"),
    _shape("eyJ", r"[\w-]++\.[\w-]{4,}+\.[\w-]*+"),
    # "-----BEGIN" of a private key, not of a certificate, in base64
    _shape("LS0tLS1CRUdJTi", r"(?:B(?:FQy|FTk|QUk|SU0|PUE|EU0|QR1)|BT)[\w+/-]{8,}+={0,2}"),
]


def _ends(sign: str) -> re.Pattern[str]:
    """Finds this sign after what stands before its last one in a start, six characters at most."""
    ends: dict[int, list[str]] = {}
    for end in {start[: start.rindex(sign) + 1][-6:] for start, _ in SHAPES if sign in start}:
        ends.setdefault(len(end), []).append(re.escape(end))
    behind = "|".join(f"(?<={'|'.join(sorted(same))})" for _, same in sorted(ends.items()))
    return pattern(f"{re.escape(sign)}(?:{behind})")


STARTS = (
    *((sign, _ends(sign)) for sign in "_-."),
    ("A", pattern("A(?:Iza|AAA|TATT|BSK|(?<=[KS]IA))")),
    ("eyJ", pattern("eyJ")),
    ("LS0t", pattern("LS0tLS1")),
)
"""One of these patterns finds something in any text with the start of a key. Each begins with its
literal, a single letter where that is rare enough, for which `re` searches at twice the speed of
`in` for a longer word: on 56 kB of a run the four take 0.3 ms, `in` for each start 0.7."""

_BEGIN = pattern(
    r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}|Private-Lines: \d{1,4}"
)
_END = pattern(r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}|Private-MAC: \w{0,128}")

_LONGEST = 40_000
"""Characters from a beginning to its end; more is no key."""

_DATA = (
    r"(?:[A-Za-z0-9+/]{40,}+|(?=[A-Z/+]*[a-z0-9])(?=[a-z/+]*[A-Z0-9])(?=[A-Za-z/+]*\d)"
    r"[A-Za-z0-9+/]{16,}+)={0,2}"
)

_APART = r"(?:\s|\\+[rnt]|%0[AaDd]|\d{0,6}[^\S\n]?[|:>+]?(?<=\S)(?=[^\S\n]{0,4}(?:\n|\\+n)))++"
"""Between two lines, also as JSON and addresses write it, with lines that have a number alone."""

_BEFORE = r"(?:(?:[^\n\\]|\\+[t\"']){0,80}?(?:[^A-Za-z0-9+/=\n\\]|\\+[t\"']))?"
"""What stands before a line: an indentation, a number, the name of a file."""

_LINE = pattern(
    rf"(?:{_APART}{_BEFORE}|(?:<br ?/?>|&#\w{{1,3}};|[\"', ]){{0,6}}+)"
    rf"(?:(?P<data>{_DATA})|(?P<last>[A-Za-z0-9+/]{{1,63}}+={{1,2}})"
    r"|(?P<about>(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID|Subject|X-\w{1,30})"
    r": ?(?:[^\n\\]|\\+[\"']){0,200}))(?![\w+/=-]|%2[BF3])"
)
_REST = pattern(r"[^\S\n]{0,80}([^A-Za-z0-9+/=\s-](?:(?![A-Za-z0-9+/]{16})[^\n]){0,80})(?=\n|\\+n)")
"""What stands after each line where code, a page or a table has the key."""
_LINE_ABOVE = pattern(_BEFORE + _DATA + r"[\"',;`\\nr\s]{0,8}")


def private_keys(text: str) -> Iterator[tuple[int, int]]:
    """From where to where the private keys of a text go, in order. Without its end a key goes on
    through all lines that look like it; without its beginning it begins with the first of them."""
    if "PRIVATE KEY" not in text and "Private-" not in text:
        return
    place = 0
    begin, end = _BEGIN.search(text), _END.search(text)
    while begin or end:
        if begin and not (end and end.start() < begin.start()):
            other = _BEGIN.search(text, begin.end())
            cut = other.start() if other else len(text)
            is_whole = end and end.end() <= cut and end.start() - begin.end() <= _LONGEST
            start = begin.start()
            place = end.end() if end and is_whole else _last_of(text, begin.end())
            begin = other if not other or other.start() >= place else _BEGIN.search(text, place)
        elif end:
            start, place = _first_of(text, place, end.start()), end.end()
        yield start, place
        if end and end.start() < place:
            end = _END.search(text, place)


def _last_of(text: str, place: int) -> int:
    """Where the lines end that look like a key."""
    found = _REST.match(text, place)
    rest = found[1].rstrip() if found else ""
    first = _LINE.match(text, place + len(found[0])) if found else None
    if not first or _after(text, rest, first.end()) == first.end():
        rest = ""  # it stands after the first line alone
    has_data = False
    while line := _LINE.match(text, _after(text, rest, place)):
        if has_data and line["about"] is not None:
            break
        place, has_data = line.end(), has_data or line["data"] is not None
        if line["last"] is not None:
            break
    return place


def _after(text: str, rest: str, place: int) -> int:
    """Where a line goes on after this rest, which may stand apart, as in a table."""
    start = place
    while rest and text.startswith((" ", "\t"), start) and start < place + 80:
        start += 1
    return start + len(rest) if text.startswith(rest, start) else place


def _first_of(text: str, start: int, end: int) -> int:
    """Where the lines above an end begin that look like a key."""
    first = max(start, text.rfind("\n", start, end) + 1)
    while first > start:
        above = max(start, text.rfind("\n", start, first - 1) + 1)
        if not _LINE_ABOVE.fullmatch(text, above, first - 1):
            break
        first = above
    return first
