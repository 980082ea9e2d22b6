"""The forms in which texts tell secrets: names and signs, keys by their prefix, private keys."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

VALUES = ("Zq7Lp2Xv9Rt4Wk8B", "f3a91c0d7be24685af10", "tR7x9Qm2+vLp4z/Hd8=", "hunter2-Horse9")
"""None has a shape of its own."""

SIGNED = "k9;pL&2,wX|4(qZ7"
"""A password with signs that end other values."""

FORMS = """\
--password {}
--token {}
--api-key {}
--secret-access-key {}
app --db-password {} --verbose
["--token", "{}"]
'--password', '{}'
powershell -Password {}
password={}
password: {}
PASSWORD={}
export DB_PASSWORD='{}'
DB_PASSWORD_RO={}
SECRET_KEY_BASE={}
secret_key_base: {}
APP_SECRET_V2={}
TOKEN_PROD={}
MY_API_KEY_2="{}"
API_KEY_OLD: "{}"
clientSecretProd: '{}'
tokenLive="{}"
Cookie: theme="dark"; sid={}
Set-Cookie: sid={}; HttpOnly; Path=/
-H 'Cookie: theme="dark"; sid={}'
"Cookie": "a=1; sid={}"
cookie = "sid={}"
Authorization: Bearer {}
Authorization: ApiKey "{}"
Authorization: Digest username="me", nonce="1", response="{}"
Authorization: token {}
authorization={}1=
Proxy-Authorization: Basic {}
curl -H "Authorization: token {}" https://h
headers.set('Authorization', 'token {}')
headers["Authorization"] = "Bearer {}"
.header("X-Api-Key", "{}")
X-Auth-Token: {}
PRIVATE-TOKEN: {}
{{"password": "{}"}}
{{\\"password\\": \\"{}\\"}}
{{\\\\\\"password\\\\\\": \\\\\\"{}\\\\\\"}}
{{"name": "API_KEY", "value": "{}"}}
{{\\"name\\": \\"API_KEY\\", \\"value\\": \\"{}\\"}}
- name: API_KEY
  value: {}
password: |
  {}
  password: >-
    {}
password:
  {}
<password>{}</password>
<db:password type="clear">{}</db:password>
<token>{}</token>
<add key="Password" value="{}"/>
<user password="{}"/>
password := "{}"
const token string = "{}"
API_KEY: Final[str] = "{}"
const apiKey: string = '{}'
password = b"{}"
password = r'{}'
password = \"\"\"{}\"\"\"
token = `{}`
os.environ["TOKEN"] = "{}"
os.environ.setdefault("SECRET_KEY", "{}")
setenv("API_KEY", "{}", 1)
if token == "{}":
password => '{}'
postgres://u:{}@db/x
redis://:{}@cache:6379/0
https://me:{}@github.com/a/b.git
git clone https://{}0000@github.com/x
https://{}0000:x-oauth-basic@github.com/x
Server=db;User=sa;Password={};Encrypt=yes
Server=db;Uid=sa;Pwd={};
AccountName=a;AccountKey={}
SharedAccessKey={}
//registry.npmjs.org/:_authToken={}
_password = {}
machine github.com login me password {}
IDENTIFIED BY '{}'
ALTER ROLE x WITH PASSWORD '{}'
the password is {}
The token is {}, keep it
**Password:** {}
password: `{}`
 password | {}
curl -u me:{} https://h
curl --user "me:{}" https://h
sshpass -p {} ssh h
sshpass -p'{}' ssh h
mysql -u root -p{} db
docker login -u me -p {} r.io
https://a.blob/x?sv=1&sig={}aBcD1234
https://s3/x?X-Amz-Signature={}aBcD1234
passphrase: "{}"
passwd={}
passcode: {}
credentials: "{}"
api_key={}&page=2
token={}, then more
(secret={})
'secret': '{}',
"private_key_password": "{}"
log: password="{}
"""
"""A form each, of one line or of two where the second is indented; `{}` is the secret."""

PREFIXED = """\
sk-ant-api03-{} sk-proj-{} sk-or-v1-{} ghp_{} gho_{} github_pat_{} glpat-{} xoxb-{} xoxc-{} xoxd-{}
xapp-{} AIza{} pypi-Ag{} ya29.{} GOCSPX-{} dop_v1_{} glsa_{} glc_{} SG.{}.{} hvs.{} hvb.{} hvr.{}
dckr_pat_{} dckr_oat_{} AGE-SECRET-KEY-1{} shpat_{} sq0atp-{} sq0csp-{} lin_api_{} PMAK-{} ATATT3{}
xkeysib-{} sntrys_{} nvapi-{} tvly-{} lsv2_pt_{} lsv2_sk_{} CFPAT-{} sb_secret_{} pplx-{} xai-{}
dp.pt.{} r8_{} sgp_{} figd_{} whsec_{} tskey-auth-{} rubygems_{} pscale_tkn_{} ABSKQ{} npm_{} hf_{}
gsk_{} NRAK-{} phx_{} sk_live_{} rk_test_{} AKIA1234567890ABCDEF gAAAAAB{} eyJhbGciOi.eyJz{}.x
"""

_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7{}VJTUt9Us8cK"
_TEXTS = [_LINE.format(n) for n in ("a1B", "c2D", "e3F", "g4H")]
KINDS = ("RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY")

AROUND = (
    *(("'", "\\n' +"), ('    "', '\\n"'), ("echo '", "' >> id_rsa"), ("| ", "   |")),
    *(("<div>", "</div>"), ('{"log":"', '\\n","stream":"stdout"}'), ("", "\\")),
)
"""What code, tables, pages and logs have around each line of a key."""


def private_keys() -> Iterator[tuple[str, str]]:
    """Each with a part that nobody may see."""
    begin, end = "-----BEGIN EC PRIVATE KEY-----", "-----END EC PRIVATE KEY-----"
    for kind in KINDS:
        yield "\n".join([f"-----BEGIN {kind}-----", *_TEXTS, f"-----END {kind}-----"]), _TEXTS[1]
        yield "\n".join([f"-----BEGIN {kind}-----", *_TEXTS]), _TEXTS[3]
    lines = [begin, *_TEXTS, end]
    for cut in (lines, lines[:-1], lines[1:]):
        yield "\n".join(f"{n:6}\t{line}" for n, line in enumerate(cut, 1)), _TEXTS[2]
        yield "\n".join(f"    {line}" for line in cut), _TEXTS[2]
        yield "\n".join(f"id_rsa:{n}:{line}" for n, line in enumerate(cut, 1)), _TEXTS[2]
        yield "\n".join(f"+{line}" for line in cut), _TEXTS[2]
        yield "key: |\n" + "\n".join(f"        {line}" for line in cut), _TEXTS[2]
        yield "\r\n".join(cut), _TEXTS[2]
    for sign in ("\\n", "\\\\n", "\\r\\n"):
        yield '"key": "' + sign.join(lines) + '"', _TEXTS[2]
        yield '"key": "' + sign.join(lines[:-1]), _TEXTS[2]
    about = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0A1B2C3D4E5F", ""]
    yield "\n".join([begin, *about, *_TEXTS]), _TEXTS[2]
    yield "\n".join(f"{n:3} | {one}" for n, one in enumerate([begin, *about, *_TEXTS])), _TEXTS[2]
    yield " ".join([begin, *_TEXTS]), _TEXTS[2]
    pgp = ["-----BEGIN PGP PRIVATE KEY BLOCK-----", "Version: GnuPG v2", "", *_TEXTS, "=aB3d"]
    yield "\n".join(pgp), _TEXTS[2]
    yield "\n".join([*pgp, "-----END PGP PRIVATE KEY BLOCK-----"]), _TEXTS[2]
    ssh2 = ["---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", 'Comment: "me"', *_TEXTS]
    yield "\n".join(ssh2), _TEXTS[2]
    yield "\n".join([*ssh2, "---- END SSH2 ENCRYPTED PRIVATE KEY ----"]), _TEXTS[2]
    yield "\n".join(["PuTTY-User-Key-File-3: ssh-rsa", "Private-Lines: 4", *_TEXTS]), _TEXTS[2]
    yield "\n".join(["```", *lines[:-1], "```", "more"]), _TEXTS[3]
    for before, after in AROUND:
        yield "\n".join(before + line + after for line in lines[:-1]), _TEXTS[2]
    for between in (", ", "<br>", "&#10;"):
        yield between.join(lines[:-1]), _TEXTS[2]
    yield begin + "".join(_TEXTS), _TEXTS[2]
    yield "KEY=" + b64encode("\n".join(lines).encode()).decode(), "RUdJTiBFQyBQUklWQVRFIEtFWS0tLS0t"


def named() -> Iterator[tuple[str, str]]:
    """Each text with the secret that it tells."""
    forms: list[str] = []
    for line in FORMS.splitlines():
        if (line[:1] == " " and line.lstrip()[:1] in "{v") or line == "    {}":
            forms[-1] += "\n" + line
        else:
            forms.append(line)
    for form in forms:
        for value in VALUES:
            if "/" not in value or "http" not in form:  # it would end the user of an address
                yield form.format(value), value
    for form in ("password={}", "PASSWORD: {}", "password='{}'", '"password": "{}"'):
        yield form.format(SIGNED), SIGNED
    for before in (
        "https://hooks.slack.com/services/T0001/B0002/",
        "https://h/?a=1&key=",
        "_auth=",
    ):
        yield before + "Zq7Lp2Xv9Rt4Wk8BZq7Lp2Xv", "Zq7Lp2Xv9Rt4Wk8BZq7Lp2Xv"
    yield "postgres://u:p@Zq7Lp2Xv9Rt4@h/x", "Zq7Lp2Xv9Rt4"
    yield 'password = "it\'s9Zq7Lp2"', "s9Zq7Lp2"
    yield '{"password": "ab\\"Zq7Lp2Xv9"}', "Zq7Lp2Xv9"


def prefixed() -> Iterator[tuple[str, str]]:
    for form in PREFIXED.split():
        key = form.replace("{}", "Zq7Lp2Xv9Rt4Wk8BZq7Lp2Xv")
        for around in ("{}", "use '{}' here", "key={};", "https://h/?k={}&x=1"):
            yield around.format(key), key[-12:]


def all_forms() -> list[tuple[str, str]]:
    """Each text with what nobody may see of it."""
    return [*named(), *prefixed(), *private_keys()]
