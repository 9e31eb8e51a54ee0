"""Which 8-bit encoding a text is written in: cp1252, unless its words leave no doubt that it is another.

One sign (``£``, ``®``, a curly quote) says nothing: in a dozen encodings its byte is something that could be meant.
Words do: ``Quantit‚`` is written by nobody. Each different word is weighed once, however often it stands there.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from math import log

from functions.ingest.readers.alphabets import ALPHABETS, ASSUMED, EAST_ASIAN, NOT_LATIN, WEST

IMPOSSIBLE = 5.0  # what a word costs that nobody writes, in nats: one such word in 150 by chance
FOREIGN = 2.0  # a letter that the language does not have: a name, a word of another language
OVERWHELMING = 15.0  # by chance once in three million
RAREST = 60  # rank of a letter that the language does not have
CAPITAL = 0.3  # what a text in capitals is less usual
WORDS = 2_000  # different ones that are weighed
BEGINNING = 16_384  # where headers are looked for
_WORD = re.compile(rb"(?<![A-Za-z])[A-Za-z]*+[\x80-\xff][A-Za-z\x80-\xff]*")
_JOINS = set("’‘'-–—…·\xad\xa0/")  # signs that may stand between two letters
_RUNS = re.compile("[^\x00-\x7f\xa0…’‘“”«»–—•]{3,}")
_ORDINALS = set("°º")


@dataclass(frozen=True)
class Choice:
    """An encoding; ``confidence`` (0 to 1): the share of words that it makes readable; ``overwhelming`` evidence."""

    encoding: str
    confidence: float
    overwhelming: bool = False


@dataclass(frozen=True)
class _Weighed:
    """The words read in one encoding, in the language that explains them best."""

    encoding: str
    words: tuple[str | None, ...]

    @cached_property
    def costs(self) -> list[float]:
        """What each word costs; 0 is a word that people write."""
        words = [None if w is None or _is_broken(w) else w for w in self.words]
        return min(([_cost(w, a) for w in words] for a in ALPHABETS[self.encoding]), key=sum)

    def may_cost(self, most: float) -> bool:
        """Whether the words that nobody writes in any language leave it possible that all cost no more than that."""
        spent = 0.0
        for word in self.words:
            spent += IMPOSSIBLE if word is None or _is_broken(word) else 0
            if spent > most:
                return False
        return True

    @cached_property
    def strangeness(self) -> float:
        """Among encodings that explain the words alike: how rare the letters are, each by its rank (Zipf's law)."""
        alphabet = max(ALPHABETS[self.encoding], key=lambda a: sum(c in a for w in self.words for c in w or ""))
        letters = [c for w in self.words for c in w or "" if not c.isascii() and c.isalpha()]
        ranks = (alphabet.find(c.lower()) % RAREST + 2 for c in letters)
        return sum(map(log, ranks)) / max(len(letters), 1) + CAPITAL * sum(map(str.isupper, letters)) / (
            len(letters) + 1
        )

    @property
    def cost(self) -> float:
        return sum(self.costs)


def choose(block: bytes, score: Callable[[str], int]) -> Choice:
    """Return the encoding of a block that is neither ASCII nor UTF-8.

    ``score`` returns how many headers that the contract knows a text begins with: a header that only another
    encoding makes a known one is evidence, too.
    """
    words = _words(block)
    assumed = _weigh(ASSUMED, words)
    better = _by_headers(block, score) or _by_words(words, assumed)
    if better is not None:
        return Choice(better.encoding, _confidence(better), overwhelming=True)
    if assumed.cost > 2 * OVERWHELMING and _dense(words) and (found := _east_asian(block)):
        return Choice(found, 0.5, overwhelming=True)
    return Choice(ASSUMED, _confidence(assumed))


def _words(block: bytes) -> list[bytes]:
    """Return different words with bytes beyond ASCII, the first ones of the block."""
    found: dict[bytes, None] = {}
    for match in _WORD.finditer(block):
        found[match[0][:60]] = None
        if len(found) == WORDS:
            break
    return list(found)


def _weigh(encoding: str, words: Iterable[bytes]) -> _Weighed:
    return _Weighed(encoding, tuple(_decoded(w, encoding) for w in words))


def _decoded(word: bytes, encoding: str) -> str | None:
    try:
        return word.decode(encoding)
    except UnicodeDecodeError:
        return None


def _confidence(weighed: _Weighed) -> float:
    """Return the share of readable words; a single word proves little."""
    good = sum(cost == 0 for cost in weighed.costs)
    return round((good + 1) / (len(weighed.costs) + 2), 2)


def _by_words(words: list[bytes], assumed: _Weighed) -> _Weighed | None:
    if len({b for w in words for b in w if b > 127}) < 2:
        return None
    others = [_weigh(e, words) for e in ALPHABETS if e != ASSUMED] if assumed.cost >= OVERWHELMING else []
    likely = (o for o in others if o.may_cost(assumed.cost / 20))
    best = min(likely, key=lambda o: (o.cost, o.strangeness), default=None)
    if best is None or best.cost * 20 > assumed.cost or assumed.cost - best.cost < OVERWHELMING:
        return None
    return best


def _by_headers(block: bytes, score: Callable[[str], int]) -> _Weighed | None:
    """Return an encoding in which more headers are known, by their letters, than in cp1252."""
    head = block[:BEGINNING]
    known = {e: score(_letters_only(head.decode(e, "replace"))) for e in ALPHABETS}
    plain = max(known[ASSUMED], score(head.decode(ASSUMED, "replace")))
    most = max(known.values())
    if most <= plain:
        return None
    return min((_weigh(e, _words(head)) for e in known if known[e] == most), key=lambda w: (w.cost, w.strangeness))


def _letters_only(text: str) -> str:
    """Return a text whose signs beyond ASCII have become a letter that no header has: a sign proves nothing."""
    return "".join(c if c.isascii() or c.isalpha() or c in _ORDINALS else "ʘ" for c in text)


def _cost(word: str | None, alphabet: str) -> float:
    """Return what it costs to take a word for one of that language; None is a word of none."""
    if word is None or _mixed(word, alphabet):
        return IMPOSSIBLE
    return FOREIGN if any(c.isalpha() and c.lower() not in alphabet for c in word if not c.isascii()) else 0.0


def _is_broken(word: str) -> bool:
    """Whether nobody writes this word, in whatever language."""
    return any(_misplaced(word, i) for i, c in enumerate(word) if not c.isascii())


def _misplaced(word: str, place: int) -> bool:
    """Whether nobody writes this sign or letter where it stands."""
    sign, before, after = word[place], word[place - 1 : place], word[place + 1 : place + 2]
    if unicodedata.category(sign) in {"Cc", "Cn", "Co"} or "─" <= sign <= "▟":
        return True
    if sign.isalpha():
        return sign.isupper() and before.islower()
    return sign not in _JOINS and before.isalpha() and (after.islower() or sign in "‚ˆ‰„†‡¤¢")


def _mixed(word: str, alphabet: str) -> bool:
    """Whether a word mixes scripts; in a Latin one, letters beyond ASCII do not stand in a row."""
    if alphabet in NOT_LATIN:
        return any(c.isascii() and c.isalpha() for c in word)
    usual = 2 if alphabet in WEST else 3
    return any(len(run) > usual and len(set(run)) > 1 for run in _RUNS.findall(word))


def _dense(words: list[bytes]) -> bool:
    """Whether hardly a word has a letter of ASCII."""
    letters = b"".join(words)
    return sum(b > 127 for b in letters) * 4 > len(letters) * 3


def _east_asian(block: bytes) -> str | None:
    """Ask charset-normalizer, whose guess must read everything."""
    from charset_normalizer import from_bytes

    found = from_bytes(block[:65_536], cp_isolation=list(EAST_ASIAN)).best()
    if found is None:
        return None
    try:
        block[: block.rfind(b"\n") + 1].decode(found.encoding)
    except UnicodeDecodeError:
        return None
    return found.encoding
