"""What a seeded day brings: new files, corrections, overwrites, copies, deletions, files that cannot be read."""

from dataclasses import dataclass, field, replace
from random import Random

from stockflow.services import Services
from tests.chaos.model import File, Landed, Line, body

FEED = "sales"
_KINDS = {"new": 8, "correct": 4, "overwrite": 3, "copy": 2, "delete": 1, "broken": 1, "marker": 1, "doubtful": 1}


@dataclass
class Traffic:
    """Drops files with services that see no faults, and remembers what landed."""

    services: Services
    dice: Random
    rows: int = 6
    folder: str = ""
    landed: list[Landed] = field(default_factory=list)
    keys: int = 0
    files: int = 0

    def step(self) -> Landed | None:
        """Do one thing; return what landed by it, None when it removed something."""
        kind = self.dice.choices([*_KINDS], [*_KINDS.values()])[0]
        sales = [one for one in self.landed if one.file.kind == "sales" and not one.gone]
        if kind in ("new", "broken", "marker") or not sales:
            return self.drop(self._new("sales" if kind not in ("broken", "marker") else kind))
        if kind == "doubtful":
            return self.drop(self.doubtful())
        if kind == "delete":
            return self.delete(self.dice.choice(sales))
        before = self.dice.choice(sales)
        if kind == "copy":  # of the newest: of an older one, another file may have stated something since
            return self.drop(replace(sales[-1].file, name=self.name()))
        lines = tuple(self.again(line) for line in before.file.lines)
        if kind == "correct":
            return self.drop(File(self.name(), lines))
        fewer = before.file.is_whole and len(lines) > 1 and self.dice.random() < 0.5
        return self.drop(File(before.file.name, lines[1:] if fewer else lines))

    def drop(self, file: File) -> Landed:
        """Put a file into the landing bucket."""
        bucket, store, data = self.services.settings.landing_bucket, self.services.object_store, body(file)
        is_copy = any(body(one.file) == data for one in self.landed)
        for one in self.landed:
            one.gone |= one.file.name == file.name
            one.is_copy |= body(one.file) == data  # whichever is read first is the one that is loaded
        store.write(bucket, file.name, data, "text/csv")
        ref = store.stat(bucket, file.name)
        assert ref is not None
        self.landed.append(Landed(ref, file, is_copy=is_copy))
        return self.landed[-1]

    def delete(self, one: Landed) -> None:
        """Remove an object; whoever has not read it yet cannot any more."""
        self.services.object_store.delete(one.ref.bucket, one.ref.name)
        one.gone = True

    def _new(self, kind: str) -> File:
        if kind == "marker":
            return File(f"{FEED}/{self.folder}{self.files}/_SUCCESS", kind=kind)
        lines = tuple(self.line() for _ in range(self.dice.randint(1, self.rows)))
        return File(self.name(), lines if kind == "sales" else (), kind)

    def doubtful(self) -> File:
        """Return a file of which so many lines are refused that it is held."""
        return File(self.name(), (*self._lines("good", self.dice.randint(0, 2)), *self._lines("refused", 11)))

    def _lines(self, kind: str, number: int) -> list[Line]:
        return [replace(self.line(), kind=kind) for _ in range(number)]

    def name(self) -> str:
        """Return a new name; every other one holds a date, so that another generation replaces the file."""
        self.files += 1
        day = f"_2026-09-{1 + self.files % 28:02d}" if self.files % 2 else ""
        return f"{FEED}/{self.folder}till_{self.files:05d}{day}.csv"

    def line(self) -> Line:
        """Return a line with a new key; most are good."""
        self.keys += 1
        kind = self.dice.choices(["good", "refused", "unreadable"], [16, 1, 1])[0]
        return Line(f"R{self.keys}", self.dice.randint(1, 99), kind)

    def again(self, line: Line) -> Line:
        """The same key with another quantity; what could not be read is still so."""
        return replace(line, quantity=self.dice.randint(1, 99))
