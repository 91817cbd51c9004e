"""Words that come from outside, made fit for tables, logs, messages and files. Pure.

What people write keeps its script, its emoji and its punctuation: whatever shows it escapes what it must.
"""

import re
import unicodedata
from html import escape

from tasks.errors import WrongUse

LONGEST = 200
"""Characters that a name may have."""

LONGEST_NOTES = 5000
"""Characters that notes may have."""

TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
"""Signs that turn the direction of what stands after them, and the byte order mark: they show nothing themselves."""

NOTHING = ("Cc", "Cs", "Cn")
"""Categories of Unicode that are no text: control characters, halves of pairs, what is not assigned."""


ADDRESS = re.compile(r"//\S*@")


def without_passwords(text: str) -> str:
    """Return `text` with the user and password of every address in it left out."""
    return ADDRESS.sub("//...@", text)


def one_line(text: object, most: int = 300) -> str:
    """Return foreign words as they may stand in a log or a row: printable, in one line, at most `most` characters, and
    without the passwords of addresses."""
    return without_passwords(" ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split()))[
        :most
    ]


def inert(text: object) -> str:
    """Return `text` for Markdown and HTML: it shows as it stands, and makes no link, picture, tag or code."""
    return re.sub(r"([\\`\[\]])", r"\\\1", escape(str(text)))


def without_calls(text: str) -> str:
    """Return `text` for a channel: what would call all who read it, in Slack or elsewhere, calls nobody."""
    return re.sub(r"(?<![\w.])@(?=(everyone|here|channel)\b)", "@ ", re.sub(r"<(?=[!@#])", "‹", text))


def clean(text: object, *, lines: bool = False) -> str:
    """Return `text` without what shows nothing and can only do harm; in one line unless it may have several."""
    kept = "".join(
        sign if sign == "\n" or unicodedata.category(sign) not in NOTHING else " "
        for sign in TURNING.sub("", str(text).replace("\r\n", "\n"))
    )
    return "\n".join(line.rstrip() for line in kept.splitlines()).strip() if lines else " ".join(kept.split())


def fit(text: str, what: str, *, most: int = LONGEST, lines: bool = False) -> str:
    """Return `text` clean; raises WrongUse when nothing is left of it, or it is longer than `most` characters."""
    kept = clean(text, lines=lines)
    if not kept:
        raise WrongUse(f"the {what} is empty: give one")
    if len(kept) > most:
        raise WrongUse(f"the {what} has {len(kept)} characters, at most {most} are kept: make it shorter")
    return kept
