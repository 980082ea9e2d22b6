"""What looks like a secret, in outputs as programs print them."""

from __future__ import annotations

import pytest

from oh_tui.sharing.found_in_text import shortened, suspects

SECRETS = {
    "of a mail service": "xkeysib-4f9Kq2Lz8RtB1nVx7CwYp3Ds-Qm5J",
    "in base64": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==",
    "in base64 with signs": "k3Jf9+Qx7Zb2Lm8/Rt5Vw1Ny4Hc6Pd0Sg3Ka9Ue7Xo==",
    "letters and digits": "q7w9e2r5t1y8u3i6o0p4a9s2d",
    "capitals and digits": "M7K2PX9QH4TZ6WB3VN8RJ5LD1C",
    "of a web hook": "T0b9Xk2LmQ8vZr4Wn6Yp1Sd",
}

NAMES = """
commit 7cf91a98e607c2f935dbcc177d70011e95b8faff
Merge: 1a2b3c4 5d6e7f8
id 3fa85f64-5717-4562-b3fc-2c963f66afa6 made 01ARZ3NDEKTSV4RRFFQ69G5FAV
sha256:9b74c9897bac770ffc029102a200c5de3f4f6c0c6f1e8a9d3b2a7f4e5d6c7b8a
      "integrity": "sha512-Bd6k0ZJ0vJ1Y0m1Z8p1O3wz9tZVQ3h5YV0rPq2b8Xn7kQ4sT6uWxYz1A2b3C4d5E6f7G8h9I==",
  resolved "https://registry.yarnpkg.com/lodash/-/lodash-4.17.21.tgz#679591c564c3bffaae8454cf0b3df370c3d6911c"
  checksum: 10c0/d8cbea072bb08655bb4c989da418994b073a608dffa608b09ac04b43a791b12aeae7cd7ad919aa4c925f33b48490b5cfe6c1f71d827956071dae2e7bb3a6b74c
golang.org/x/text v0.3.8 h1:nAL+RVCQ9uMn3vJZbV+MRnydTJFPf8qqY42YiA6MrqY=
{ file = "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", hash = "md5:d41d8cd98f00b204e9800998ecf8427e" }
/nix/store/7k2ngd1r4pm1jlj8zg0x5rb1s4bkpq93-python3-3.11.6
tests/test_http2_upgrade.py::TestHttp2UpgradeWith101Response::test_sends_a_preface_in_h2c_mode PASSED
/usr/lib/python3.11/site-packages/_pytest/python.py
AbstractSingletonProxyFactoryBean2AndItsOther3Friends
pydantic-core-2.20.1-cp312-cp312-macosx_11_0_arm64
call_k3Jf9Qx7Zb2Lm8Rt5Vw1Ny4H toolu_01A09q90qw90lq917835lq9 chatcmpl-9aBcD1eF2gH3iJ4kL5mN6oP
0x7ffd5a3c2b1e8f90a1b2c3d4e5f60718293a4b5c
2026-11-29T17:16:10.123456+00:00 20261129T171610123456Z
ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/
==================== 45 passed, 2 failed in 0.31s ====================
https://github.com/acme/dates/pull/14/commits/7cf91a98e607c2f935dbcc177d70011e95b8faff
background: url(data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk);
"""  # noqa: E501

DATA = """
-----BEGIN CERTIFICATE-----
MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ
RTESMBAGA1UEChMJQmFsdGltb3JlMRMwEQYDVQQLEwpDeWJlclRydXN0MSIwIAYD
VQQDExlCYWx0aW1vcmUgQ3liZXJUcnVzdCBSb290MB4XDTAw8Q1
-----END CERTIFICATE-----
"""


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("form", ["{}", "dsn={}", '"{}"', "run --with {};", "a {}\nb", "'{}',"])
def test_long_random_words_are_suspects(secret: str, form: str) -> None:
    assert list(suspects(f"it printed\n{form.format(secret)}\n")) == [secret]


@pytest.mark.parametrize("line", NAMES.splitlines())
def test_ids_digests_paths_and_names_are_none(line: str) -> None:
    assert list(suspects(line)) == []


def test_lines_of_data_are_none() -> None:
    assert list(suspects(NAMES + DATA)) == []


def test_a_suspect_is_shown_so_that_it_cannot_be_used() -> None:
    for secret in SECRETS.values():
        assert shortened(secret) == f"{secret[:4]}… ({len(secret)} characters)"


def test_a_text_without_an_end_takes_no_time_without_one() -> None:
    assert list(suspects("aB3" * 700_000)) == []
    assert len(list(suspects("k3Jf9Qx7Zb2Lm8Rt5Vw1 " * 20_000))) == 20_000
