"""Hostile texts, by what they attempt."""

from __future__ import annotations

from hypothesis import strategies as st

CORPUS: dict[str, str] = {
    "colours": "\x1b[1;31mred\x1b[0m",
    "cursor": "\x1b[2J\x1b[H\x1b[5;5H\x1b[3A\x1b[1000D\x1b[s\x1b[u\x1b7\x1b8",
    "modes": "\x1b[?1049l\x1b[?25l\x1b[?1000l\x1b[?2004l\x1b[?7h\x1b[4h\x1b[20h\x1b[!p\x1bc",
    "answers": "\x1b[6n\x1b[c\x1b[>c\x1b[21t\x1b]10;?\x07\x1bP$qm\x1b\\\x05",
    "title": "\x1b]0;owned\x07\x1b]2;owned\x1b\\\x1b]l owned\x1b\\",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07\x1b]52;p;?\x07",
    "link": "\x1b]8;id=owned;http://owned.invalid\x1b\\text\x1b]8;;\x1b\\",
    "notice": "\x1b]9;owned\x07\x1b]777;notify;owned;owned\x1b\\\x1b]1337;File=owned\x07",
    "strings": "\x1bPqowned\x1b\\\x1b_Gowned\x1b\\\x1b^owned\x1b\\\x1bXowned\x1b\\\x1bkowned\x1b\\",
    "8 bit": "\x9b31m\x9b2J\x9d0;owned\x9c\x90qowned\x9c\x9fowned\x9c\x85\x84\x8d\x8e\x8f",
    "charsets": "\x1b(0\x1b)B\x1b%G\x1b#8\x1bn\x1bo\x0e\x0f",
    "cut": "\x1b]0;owned",
    "cut again": "\x1b[38;2;1",
    "bare": "\x1b",
    "nested": "\x1b\x1b[31m]0;x\x07\x1b[\x1b[31m2J\x1b]\x1b[m0;x\x07\x1b\x00[2J\x1b\u200b[2J",
    "controls": "".join(map(chr, range(32))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "NUL": "a\0b\0\0c",
    "lines": "a\rb\r\nc\vd\fe\x85f\u2028g\u2029h\x1ci\x1dj\x1ek\x1fl\n\n\n",
    "tabs": "a\tb\t\t\tc\t",
    "markup": "[/b][bold red]x[/][@click=app.bell]y[/][link=http://owned.invalid]z[/link][",
    "markup, cut": "[/] [red on [[ \\[b] [$primary] [not a tag] [b",
    "Markdown": "# x\n[x](javascript:owned) ![y](http://owned.invalid/y) <b>z</b>\n```\n~~~\n|a|",
    "formats": "%s%n%x{0}{a.b}${HOME}$(id)`id`\\x1b[31m\\u001b\\e^[[31m",
    "bidi": "\u202egnp.exe\u202c\u2066a\u2067b\u2068c\u2069\u200e\u200f\u061c",
    "zero width": "a\u200b\u200c\u200d\u2060\u2061\ufeff\u00ad\u034f\u180eb\U0001bca0\U00013430",
    "tags": "x\U000e0001\U000e0041\U000e007f",
    "combining": "e\u0301\u0302 a" + "\u0300\u0489\u20dd\u0e49" * 40,
    "combining alone": "\u0301" * 70,
    "jamo": "\u1100\u1161\u11a8" + "\u1161" * 50 + "\ud55c\uae00",
    "surrogates": "\ud800 x \udfff\ud83d y\udc00\ud800",
    "emoji": "👩‍👩‍👧‍👦 👍🏿 ❤️ 1️⃣ 🏳️‍🌈 🏴\U000e0067\U000e0062\U000e007f 🏿",
    "flags": "🇩🇪🇫 🇷🇪🇺🇺🇳",
    "wide": "漢字かな\uff21\u3000\uff71\uff9e한글" * 8,
    "other ways": "שלום عربي हिन्दी ไทยนี้ မြန်မာ བོད",
    "no characters": "\ufffe\uffff\ufdd0\U0010ffff\ue000\U000f0000",
    "marks": "\u2800\u3164\uffa0\u115f\u1160\ufffc\ufff9a\ufffab\ufffb",
    "long": "x" * 700,
    "long and wide": "漢" * 500,
    "nothing to see": " \t\u200b\x1b[m ",
    "empty": "",
}

HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "\x1b\x9b\x9d\x90\x9c\x07[]P_^X\\;?0m2JH\r\n\t\0\x7f\u202e\u200b\u200d\ufe0f"
        ),
        st.sampled_from("\u0301\u20dd\u1161\U0001f1e9\U0001f3ff漢👩\ud800\udc00e"),
        st.characters(),
    ),
    max_size=60,
)
