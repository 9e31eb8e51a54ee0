"""The subscription filter language, as documented: a parser and what it parses to. Pure.

attributes:key    attributes.key = "v"    attributes.key != "v"    hasPrefix(attributes.key, "v")
NOT f   -f   (f)   f AND g AND h   f OR g OR h      (AND and OR mix only with parentheses)

A key of other characters than letters, digits, ``-`` and ``_`` is quoted: ``attributes:"iana.org/language_tag"``.
"""

import re
from collections.abc import Callable, Mapping

from local.pubsub.errors import ServiceError, invalid

Predicate = Callable[[Mapping[str, str]], bool]
MAX_BYTES = 256
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[A-Za-z0-9_][A-Za-z0-9_\-]*|!=|[=:.,()\-])', re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[0-7]{3}|.)", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def compile_filter(text: str) -> Predicate:
    """Return the predicate over a message's attributes; an empty filter lets everything through.

    Raises:
        ServiceError: INVALID_ARGUMENT, naming the place, when the text is no filter.
    """
    if not text.strip():
        return lambda _attributes: True
    size = len(text.encode())
    if size > MAX_BYTES:
        raise invalid(
            f"The value for filter is too large. You passed {size} bytes in the request, but the maximum "
            f"value is {MAX_BYTES} bytes."
        )
    parser = _Parser(text)
    predicate = parser.expression()
    parser.end()
    return predicate


class _Parser:
    """Recursive descent over the tokens; ``at`` is the next one."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.tokens = self._scan(text.rstrip())

    def _scan(self, text: str) -> list[str]:
        tokens, place = [], 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise self._error(f"unexpected character at position {place}")
            tokens.append(match.group(1))
            place = match.end()
        return tokens

    def _error(self, why: str) -> ServiceError:
        return invalid(f"Invalid filter {self.text!r}: {why}.")

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if wanted and token not in wanted:
            raise self._error(f"expected {' or '.join(wanted)}, found {token or 'the end'}")
        self.at += 1
        return token

    def end(self) -> None:
        if self.peek():
            mixed = self.peek() in ("AND", "OR")
            hint = "; AND and OR may only be combined with parentheses" if mixed else ""
            raise self._error(f"unexpected {self.peek()}{hint}")

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
        for token in ("hasPrefix", "(", "attributes", "."):
            self.take(token)
        key = self.key()
        self.take(",")
        value = self.string()
        self.take(")")
        return lambda a: key in a and a[key].startswith(value)

    def comparison(self) -> Predicate:
        self.take("attributes")
        if self.take(":", ".") == ":":
            present = self.key()
            return lambda a: present in a
        key, operator = self.key(), self.take("=", "!=")
        value = self.string()
        if operator == "=":
            return lambda a: a.get(key) == value
        return lambda a: a.get(key) != value

    def key(self) -> str:
        token = self.take()
        if token.startswith('"'):
            return _unquote(token)
        if not token or not (token[0].isalnum() or token[0] == "_"):
            raise self._error(f"expected an attribute's key, found {token or 'the end'}")
        return token

    def string(self) -> str:
        token = self.take()
        if not token.startswith('"'):
            raise self._error(f"expected a quoted string, found {token or 'the end'}")
        return _unquote(token)


def _unquote(token: str) -> str:
    def meant(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) > 1:
            return chr(int(code, 8) if code.isdigit() else int(code[1:], 16))
        return _CONTROL.get(code, code)

    return _ESCAPE.sub(meant, token[1:-1])
