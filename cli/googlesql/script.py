"""A GoogleSQL script cut into what is analysed: statements, and the expressions of its control flow. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<text>[rRbB]{0,2}(?:\"\"\"(?:\\.|.)*?\"\"\"|'''(?:\\.|.)*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))
    |(?P<quoted>`[^`]*`)
    |(?P<word>@{0,2}[A-Za-z_]\w*)
    |(?P<sign>.)""",
    re.DOTALL | re.VERBOSE,
)
_LOOPS = {"LOOP", "FOR", "REPEAT", "UNTIL", "CALL"}


@dataclass(frozen=True)
class Token:
    """A piece of a script; ``start`` and ``end`` are offsets, ``word`` is in capitals ('' for what is no word)."""

    word: str
    sign: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """One piece to analyse. ``kind``: statement, expression, declare, set, begin, commit or rollback.

    ``line`` is where it begins in the script; ``transaction`` whether it runs inside one.
    """

    kind: str
    text: str
    line: int
    transaction: bool = False


class UnknownControlError(ValueError):
    """A script uses control flow that is not cut here yet."""


def tokens(script: str) -> list[Token]:
    """Return the tokens of a script, without blanks and comments."""
    found = []
    for match in _TOKEN.finditer(script):
        if match.lastgroup != "space":
            word = match[0].upper() if match.lastgroup == "word" else ""
            found.append(Token(word, match[0] if match.lastgroup == "sign" else "", match.start(), match.end()))
    return found


def statements(script: str) -> list[Statement]:
    """Return the pieces of a script in their order.

    Raises:
        UnknownControlError: a loop or a call, which this project does not use.
    """
    return list(_Cutter(script).pieces())


class _Cutter:
    def __init__(self, script: str) -> None:
        self._script, self._tokens, self._at = script, tokens(script), 0
        self._transaction = False

    def pieces(self) -> Iterator[Statement]:
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.sign == ";":
                self._at += 1
            elif token.word in ("IF", "ELSEIF", "WHILE"):
                yield self._condition("DO" if token.word == "WHILE" else "THEN")
            elif self._skipped(token):
                pass
            elif token.word in _LOOPS:
                raise UnknownControlError(
                    f"line {self._line(token.start)}: {token.word} is not cut into statements yet"
                )
            else:
                yield self._statement()

    def _skipped(self, token: Token) -> bool:
        """Block words, and an error that is raised, say nothing that can be analysed."""
        if token.word == "ELSE":
            self._at += 1
        elif token.word in ("END", "RAISE"):
            self._until(";")
        elif token.word == "EXCEPTION":
            self._until("THEN")
            self._at += 1
        elif token.word == "BEGIN" and self._next() not in ("TRANSACTION", ";", ""):
            self._at += 1
        else:
            return False
        return True

    def _next(self) -> str:
        following = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
        return (following.word or following.sign) if following else ""

    def _condition(self, end: str) -> Statement:
        self._at += 1
        start = self._tokens[self._at].start
        stop = self._until(end)
        self._at += 1
        return self._piece("expression", start, stop)

    def _statement(self) -> Statement:
        first = self._tokens[self._at]
        stop = self._until(";")
        kind = {"DECLARE": "declare", "SET": "set", "BEGIN": "begin", "COMMIT": "commit", "ROLLBACK": "rollback"}
        found = self._piece(kind.get(first.word, "statement"), first.start, stop)
        self._transaction = {"begin": True, "commit": False, "rollback": False}.get(found.kind, self._transaction)
        return found

    def _until(self, end: str) -> int:
        """Move to the next ``end`` outside brackets; return where the text before it stops."""
        depth = 0
        last = self._tokens[self._at].start
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            depth += (token.sign in "([" and token.sign != "") - (token.sign in ")]" and token.sign != "")
            if depth == 0 and end in (token.sign, token.word) and not self._in_case(token):
                return last
            last = token.end
            self._at += 1
        return last

    def _in_case(self, token: Token) -> bool:
        """Whether a THEN belongs to a CASE expression that is still open."""
        if token.word != "THEN":
            return False
        back, depth = self._at - 1, 0
        while back >= 0 and self._tokens[back].sign != ";" and self._tokens[back].word not in ("IF", "ELSEIF"):
            depth += {"CASE": 1, "END": -1}.get(self._tokens[back].word, 0)
            back -= 1
        return depth > 0

    def _piece(self, kind: str, start: int, stop: int) -> Statement:
        return Statement(kind, self._script[start:stop], self._line(start), self._transaction)

    def _line(self, offset: int) -> int:
        return self._script.count("\n", 0, offset) + 1
