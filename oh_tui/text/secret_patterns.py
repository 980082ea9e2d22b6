"""How secrets look: the keys of common services, and the places where others stand."""

from __future__ import annotations

import re

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
            *("whsec_", "pplx-", "tskey-", "tvly-", "xai-", "rubygems_", "ntn_"),
        )
    ),
    _shape("gAAAAAB", r"[\w-]++={0,2}"),
    # words have these prefixes too: sk-learn, sk-SK, hf_model, ASIA2026
    _shape("sk-", r"(?:(?=[\w-]*\d)[\w-]++|\w{16,}+)"),
    *(_shape(start, _NO_WORD_OF_CODE) for start in ("hf_", "npm_", "gsk_")),
    _shape("AKIA", r"(?:(?=[A-Z]*\d)[A-Z0-9]++|[A-Z]{16})(?!\w)"),
    _shape("ASIA", r"(?:(?=[A-Z]*\d)[A-Z0-9]{8,}+|[A-Z]{16})(?!\w)"),
    _shape("pypi-", r"[\w-]{50,}+"),
    _shape("gAAAA", r"[\w-]{40,}+={0,2}"),
    _shape("eyJ", r"[\w-]++\.[\w-]{4,}+\.[\w-]*+"),
]


def _ends(sign: str) -> re.Pattern[str]:
    """Finds this sign after what stands before its last one in a start, four characters at most."""
    ends: dict[int, list[str]] = {}
    for end in {start[: start.rindex(sign) + 1][-4:] for start, _ in SHAPES if sign in start}:
        ends.setdefault(len(end), []).append(re.escape(end))
    behind = "|".join(f"(?<={'|'.join(sorted(same))})" for _, same in sorted(ends.items()))
    return pattern(f"{re.escape(sign)}(?:{behind})")


STARTS = (
    *((sign, _ends(sign)) for sign in "_-."),
    ("A", pattern("A(?:Iza|AAA|TATT|BSK|(?<=[KS]IA))")),
    ("eyJ", pattern("eyJ")),
)
"""One of these patterns finds something in any text with the start of a key. Each begins with its
literal, a single letter where that is rare enough, for which `re` searches at twice the speed of
`in` for a longer word: on 56 kB of a run the four take 0.3 ms, `in` for each start 0.7."""

SCHEME = pattern(
    r"(\b(?:bearer|basic)\s{1,4})((?=[\w.~+/-]*\d)[\w.~+/-]{12,}+={0,2})", re.IGNORECASE
)

_QUOTE = r"(?:(?:\\{0,7}\"){3}|(?:\\{0,7}'){3}|\\{0,7}[\"'`])"
_QUOTED = r"(?:(?!(?P=quote))(?:\\{1,15}+[^\\\n]|[^\n\\])){1,4000}+(?=(?P=quote)|[\n\\]|\Z)"
"""What is in quotes, also where the text ends in it."""

HEADER = pattern(
    r"[aAcC](?i:(?:uthorization|ookie)(?P<closed>\\{0,7}[\"']?\]?)\s{0,4}(?P<sign>[:=,])\s{0,4})"
    rf"(?:(?P<quote>{_QUOTE})(?P<quoted>{_QUOTED})"
    r"|(?P<plain>(?:[^\n\"'\\]|(?<=[=\s,])\\{0,7}[\"'][^\n\"'\\]{0,4000}\\{0,7}[\"']){8,}+))"
)
USER_INFO = pattern(r"(:/{1,3}[^\s/:@]{0,80}:)([^\s/\[\"'`<>]{1,300})(?=@)")
"""User and password in a URL, or in a path made of one, with a single slash."""
DATABASE = pattern(
    r"((?:postgres|mysql|maria|mongo|redis|amqp|mssql|sqlserver|s?ftp|smtp|ldap)[\w+]{0,20}://"
    r"[^\s/:@]{0,80}:)([^\s\"'`<>\[]{1,300})(?=@)"
)
"""The same where the password may have a slash."""
USER_ALONE = pattern(r"(://)((?=[^\s/:@]*\d)[\w.~%+-]{16,300}+)(?=(?::[^\s/@]{0,80})?@)")
"""A key in the place of the user."""
SIGNED = pattern(
    r"([?&;]\\{0,3}(?:sig|x-amz-signature|x-goog-signature|signature)=)([\w%+/=~-]{16,}+)",
    re.IGNORECASE,
)

_KINDS = (
    *("api", "access", "secret", "private", "signing", "encryption", "master", "auth", "account"),
    *("storage", "session", "license", "deploy", "webhook", "shared", "consumer", "app", "client"),
)
_OF_KEY = "|".join(f"(?<={kind}key)|(?<={kind}[-_ ]key)" for kind in _KINDS)


def _letters(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in word)


_NAME = (
    rf"(?P<name>[ckpstCKPST](?:{_letters('ey')}(?i:{_OF_KEY})|{_letters('oken')}(?<=[tT]....)"
    rf"|{_letters('ecret')}(?<=[sS].....)|{_letters('ass')}(?i:(?<=p...)(?:w(?:or)?d|phrase|code))"
    rf"|{_letters('wd')}(?i:(?<=p..)(?<![a-z]...))|{_letters('redential')}(?<=[cC].........)[sS]?))"
)
"""Begins with a class of letters, for which `re` searches fast, as it does not in any case."""
_TAIL = r"(?P<tail>(?:[-_]?\d{1,3}|[-_][A-Za-z0-9]{1,20}|[A-Z][a-z0-9]{1,20}){0,3})"
"""What follows the name of a secret in a longer one: `SECRET_KEY_BASE`, `tokenProd`."""
_PLAIN = r"(?:[^\s\"'\\,;&|<>(){}\[\]`=]{1,4000}+|=(?![A-Za-z_][\w.-]{0,40}=)){1,400}+"
_SPACE = r"(?:\s|\\{1,7}[nrt])"
"""Also as JSON writes it."""
_MORE = (
    r"(?P<more>(?:[;&|,(](?![\w.-]{1,40}\s{0,2}[=:]|[\s;&|,()\"'`]|\Z)"
    r"[^\s\"'\\,;&|<>(){}\[\]`]*+)*+)"
)
"""What a password has after a sign that ends other values."""

_VALUE = (
    rf"(?:(?P<quote>{_QUOTE})(?P<quoted>{_QUOTED})|(?P<plain>{_PLAIN}){_MORE}(?P<after>[(\[]?))"
)

PAIR = pattern(
    rf"{_NAME}{_TAIL}(?P<between>(?:\s[^<>\n]{{0,100}})?>(?=[^<\n]{{1,4000}}</)"
    rf"|\\{{0,7}}[\"'`*_]{{0,3}}\]?(?:[: ][\w.\[\]| ]{{1,40}}?(?==))?\s{{0,4}}"
    rf"(?::(?!=)[*_]{{0,2}}{_SPACE}{{0,8}}(?:[|>][-+\d]{{0,2}}{_SPACE}{{1,40}})?"
    r"|(?::=|=>?(?!=))[^\S\n]{0,4}"
    rf"|(?P<loose>(?:,{_SPACE}{{0,40}}|{_SPACE}{{1,40}})"
    r"\\{0,7}[\"']?value\\{0,7}[\"']?\s{0,4}[:=][^\S\n]{0,4}"
    r"|={2,3}[^\S\n]{0,4}|\|[^\S\n]{0,4}|,\s{0,4}(?=\\{0,7}[\"'`]))"
    rf")(?:[rRbBuUfF@]{{1,2}}(?=\\{{0,7}}[\"']))?){_VALUE}"
)
SAID = pattern(
    rf"{_NAME}{_TAIL}(?P<between>(?P<said>[^\S\n](?i:is|was|to))?:?[^\S\n]{{1,4}}){_VALUE}"
)
"""A secret after a flag, or said in a sentence."""
GIVEN = pattern(
    r"((?:\bidentified[^\S\n]{1,4}by[^\S\n]|(?:-u|--user|--proxy-user)(?:[^\S\n]|=)\\{0,7}[\"']?[\w.@+-]{0,64}:"
    r"|\b(?:sshpass|login|mysql\w{0,10}|mariadb\w{0,10})\b[^\n|;&]{0,120}?[^\S\n]-p[^\S\n]?)"
    r"\\{0,7}[\"']?)([^\s\"'\\-][^\s\"'\\]{3,300})",
    re.IGNORECASE,
)
"""A password that a command is given without its name."""

HINTS = pattern(
    r"[kpt](?:(?<=k)ey|(?<=t)oken|(?<=p)ass(?:w|phrase|code)|(?<=p)wd)|[sc](?:ecret|redential)"
)
"""Finds something in any text, in lower case, with a match of `PAIR` or `SAID`."""
NO_SECRET = pattern(
    r"[*.x•…-]+|none|null|nil|true|false|undefined|str|string|bytes|secretstr|secret|any|object"
    r"|optional|required|text|varchar|self|os|env|environ|process|getpass|prompt|&\w+|.*\{\w[^{}\n]{0,80}\}.*"
    r"|\$(?:[a-z_]\w*|[({].*)|%[\w(].*|@[\w./]+|![a-z]+(?:\s.*)?",
    re.IGNORECASE,
)
NAME_OF_CODE = pattern(r"[A-Za-z_][A-Za-z_]*(?:\.[A-Za-z_]\w*)*")
MIXED = pattern(r"(?=.*\d|(?:.*[!#$%^&*+@~]){2})(?=.*[A-Za-z])\S{8,}+", re.DOTALL)
"""What stands for a secret where the name before it is not sure to be that of one."""

OF_NO_SECRET = pattern(
    r"(?:ids?|names?|types?|counts?|limits?|ur[li]s?|paths?|files?|dir|folder|fields?|headers?|param"
    r"|env|var|expir\w*|ttl|age|created|updated|at|set|len(?:gth)?|size|min|max|us(?:age|ed)|endpoint"
    r"|host|port|user(?:name)?|email|alg(?:orithm)?|method|policy|format|pattern|regex|prefix|suffix"
    r"|label|placeholder|title|description|hint|errors?|messages?|status|state|version|scopes?|issuer"
    r"|provider|manager|service|store|ref(?:erence)?|arn|region|rotation|per|budget|cost|price|rate"
    r"|window|spec|end|start|pos|map|stream|number|text|re|rx|threshold|totals?|estimate\w*|buffer|handler|helper|required|enabled|disabled|valid)",
    re.IGNORECASE,
)
"""A word after the name of a secret that makes it the name of something else: `token_count`."""

WAITS = pattern(
    rf"(?:bearer|basic|authorization|cookie|key|token|secret|credentials?|passphrase|passcode"
    rf"|passw(?:or)?d|pwd){_TAIL}\\{{0,7}}[\"'`*_]{{0,3}}\]?(?::[\w.\[\]| ]{{1,40}}?)?\s*"
    r"(?:(?::=?|={1,3})>?[*_]{0,2}|[,|])?\s*(?:[|>][-+\d]{0,2}|\\{0,7}[\"'`]*)?\s*\Z",
    re.IGNORECASE,
)
"""The end of a line after which a pattern above may continue on the next."""
