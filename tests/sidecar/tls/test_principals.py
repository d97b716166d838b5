"""What a certificate's subject is called."""

import pytest

from sidecar.tls.principals import principal, rules, subject_of


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ((), ""),
        (((("commonName", "al"),),), "CN=al"),
        (
            (
                (("countryName", "DE"),),
                (("organizationName", "Example, Inc."),),
                (("commonName", "al"),),
            ),
            "CN=al,O=Example\\, Inc.,C=DE",
        ),
        (((("commonName", "a"), ("userId", "b")),), "CN=a+UID=b"),
        (((("commonName", ' #x "y" '),),), 'CN=\\ #x \\"y\\"\\ '),
        (((("emailAddress", "a@b"),),), "emailAddress=a@b"),
    ],
)
def test_a_subject_as_java_writes_it(subject: object, text: str) -> None:
    assert subject_of({"subject": subject}) == text
    assert subject_of(None) == ""


ALICE = "CN=Alice,OU=ServiceUsers,O=Org"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ALICE),
        ("DEFAULT", ALICE),
        ("RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/", "Alice"),
        ("RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/L", "alice"),
        ("RULE:CN=(.*?),OU=(.*?),O=.*/$1@$2/U , DEFAULT", "ALICE@SERVICEUSERS"),
        ("RULE:^OU=.*$/never/, RULE:^CN=(.*?),.*$/$1/L", "alice"),
        ("RULE:CN=Alice/partly/,DEFAULT", ALICE),
        (r"RULE:CN=Alice.*/a\/b/", "a/b"),
        ("RULE:CN=.*/$7/", ""),
    ],
)
def test_the_first_rule_that_is_for_it_counts(text: str, name: str) -> None:
    assert principal(ALICE, rules(text)) == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RULE:x", "'RULE:x' is neither"),
        ("DEFAULT;DEFAULT", "is neither"),
        ("RULE:a/b/X", "is neither"),
        ("RULE:(/b/", "patterns in RE2 syntax"),
        ("RULE:" + "a" * 600 + "/b/", "patterns of 1 to 512 characters"),
        ("DEFAULT," * 101, "at most 100 rules"),
    ],
)
def test_what_is_no_rule_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rules(text)
