"""The subscription filter language, as documented: a parser and what it parses to. Pure.

attributes:key    attributes.key = "v"    attributes.key != "v"    hasPrefix(attributes.key, "v")
NOT f   -f   (f)   f AND g AND h   f OR g OR h      (AND and OR mix only with parentheses)
"""

import re
from collections.abc import Callable, Mapping

from local.pubsub.errors import invalid

Predicate = Callable[[Mapping[str, str]], bool]
MAX_BYTES = 256
_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_][A-Za-z0-9_\-]*)|(!=|[=:.,()\-]))')


def compile_filter(text: str) -> Predicate:
    """Return the predicate over a message's attributes; an empty filter lets everything through.

    Raises:
        ServiceError: INVALID_ARGUMENT, naming the place, when the text is no filter.
    """
    if not text.strip():
        return lambda _attributes: True
    if len(text.encode()) > MAX_BYTES:
        raise invalid(f"The subscription filter is too long: {len(text.encode())} bytes, at most {MAX_BYTES}.")
    parser = _Parser(text)
    predicate = parser.expression()
    parser.end()
    return predicate


class _Parser:
    """Recursive descent over the tokens; ``at`` is the next one."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.tokens = list(self._scan(text))

    def _scan(self, text: str) -> list[str]:
        tokens, place = [], 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise invalid(f"Invalid filter {text!r}: unexpected character at position {place}.")
            tokens.append(match.group().strip())
            place = match.end()
        return tokens

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if wanted and token not in wanted:
            found = token or "the end"
            raise invalid(f"Invalid filter {self.text!r}: expected {' or '.join(wanted)}, found {found}.")
        self.at += 1
        return token

    def end(self) -> None:
        if self.peek():
            mixed = self.peek() in ("AND", "OR")
            hint = " AND and OR may only be combined with parentheses." if mixed else ""
            raise invalid(f"Invalid filter {self.text!r}: unexpected {self.peek()}.{hint}")

    def expression(self) -> Predicate:
        terms, operator = [self.term()], self.peek()
        while operator in ("AND", "OR") and self.peek() == operator:
            self.take()
            terms.append(self.term())
        if operator == "OR":
            return lambda a: any(t(a) for t in terms)
        return lambda a: all(t(a) for t in terms)

    def term(self) -> Predicate:
        if self.peek() in ("NOT", "-"):
            self.take()
            inner = self.factor()
            return lambda a: not inner(a)
        return self.factor()

    def factor(self) -> Predicate:
        if self.peek() == "(":
            self.take("(")
            inner = self.expression()
            self.take(")")
            return inner
        return self.prefix() if self.peek() == "hasPrefix" else self.comparison()

    def prefix(self) -> Predicate:
        self.take("hasPrefix")
        self.take("(")
        self.take("attributes")
        self.take(".")
        key = self.key()
        self.take(",")
        value = self.string()
        self.take(")")
        return lambda a: a.get(key, "").startswith(value) and key in a

    def comparison(self) -> Predicate:
        self.take("attributes")
        if self.take(":", ".") == ":":
            present = self.key()
            return lambda a: present in a
        key, operator = self.key(), self.take("=", "!=")
        value = self.string()
        if operator == "=":
            return lambda a: a.get(key) == value
        return lambda a: key in a and a[key] != value

    def key(self) -> str:
        token = self.take()
        if token.startswith('"'):
            return _unquote(token)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_\-]*", token):
            raise invalid(f"Invalid filter {self.text!r}: expected an attribute's key, found {token or 'the end'}.")
        return token

    def string(self) -> str:
        token = self.take()
        if not token.startswith('"'):
            raise invalid(f"Invalid filter {self.text!r}: expected a quoted string, found {token or 'the end'}.")
        return _unquote(token)


def _unquote(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])
