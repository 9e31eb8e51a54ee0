"""Damage at random: of bytes, and of a member of an archive, whose checksum is right again."""

import io
import random
import zipfile


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with a few of them changed, cut out or doubled."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        place, length = rng.randrange(len(found)), rng.choice([1, 1, 2, 4, 40])
        how = rng.randrange(4)
        if how == 0:
            found[place : place + length] = rng.randbytes(length)
        elif how == 1:
            del found[place : place + length]
        elif how == 2:
            found[place:place] = found[place : place + length]
        else:
            found[place : place + length] = rng.choice([b"\xff", b"\0", b"<", b'"', b"9" * 12]) * length
        if not found:
            return b"x"
    return bytes(found)


def damaged_inside(data: bytes, rng: random.Random) -> bytes:
    """Return an archive with a damaged member, whose checksum is right again."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as copy:
        names = source.namelist()
        bad = rng.choice(names)
        for name in names:
            text = source.read(name)
            copy.writestr(name, damaged(text, rng) if name == bad and text else text)
    return out.getvalue()
