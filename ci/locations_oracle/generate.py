"""Random signatures, weighted towards what classifiers find hard."""

import random
from dataclasses import dataclass

from .notation import PROMOTED, SCALARS, VOID, Array, Record, Scalar, Signature, leaves
from .quirks import FIXED, LEADING, RESULT, VARIADIC

# Keeps every value within the dump area of the callees, alignment of 32 included.
MAX_LEAVES = 60
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17, 24, 31, 32, 33, 60]


@dataclass(frozen=True)
class Dialect:
    """What a target's C can express."""

    empty_records: bool = True
    # GNU attributes, which can also lower an alignment, and set it in a packed record. What
    # Microsoft's pack and align do to each other is a matter of its own.
    gnu_alignment: bool = True


class Generator:
    def __init__(self, seed, dialect, quirks):
        self.random = random.Random(seed)
        self.dialect = dialect
        self.quirks = quirks

    def scalar(self, names=tuple(SCALARS)):
        return Scalar(self.random.choice(names))

    def homogeneous(self):
        """A record that is, or nearly is, a homogeneous aggregate."""
        r = self.random
        base = Scalar(r.choice(["f32", "f64"]))
        members = []
        for _ in range(r.choice([1, 1, 2, 2, 3, 3, 4, 4, 5])):
            shape = r.random()
            if shape < 0.8:
                ty = base
            elif shape < 0.9:
                ty = Array(base, r.randint(1, 3))
            elif shape < 0.95:
                ty = Record("struct", ((base, None),) * r.randint(1, 2), None)
            else:
                ty = Record("union", ((base, None), (Array(base, r.randint(1, 2)), None)), None)
            members.append((ty, self.alignment(ty, None) if r.random() < 0.04 else None))
        if r.random() < 0.05:
            members.append((self.scalar(), None))
        return Record("struct", tuple(members), None)

    def bytes(self):
        """A record whose size is the point of it."""
        return Record("struct", ((Array(Scalar("u8"), self.random.choice(SIZES)), None),), None)

    def record(self, depth=0):
        r = self.random
        shape = r.random()
        if shape < 0.2:
            return self.homogeneous()
        if shape < 0.28:
            return self.bytes()
        if shape < 0.3 and self.dialect.empty_records:
            return Record("struct", (), None)
        kind = "union" if r.random() < 0.15 else "struct"
        pack = r.choice([1, 1, 2, 4]) if r.random() < 0.12 else None
        if pack and not self.dialect.gnu_alignment:
            depth = 2
        members = []
        for _ in range(r.choice([1, 1, 2, 2, 2, 3, 3, 4, 6])):
            ty = self.member(depth)
            aligned = pack in (None, 1) and r.random() < 0.08
            members.append((ty, self.alignment(ty, pack) if aligned else None))
        return Record(kind, tuple(members), pack)

    def alignment(self, ty, pack):
        if self.dialect.gnu_alignment:
            return self.random.choice([1, 2, 4, 8, 16, 16, 32])
        while isinstance(ty, Array):
            ty = ty.item
        return None if pack or isinstance(ty, Record) else self.random.choice([8, 16])

    def member(self, depth):
        r = self.random
        shape = r.random()
        if depth < 2 and shape < 0.15:
            return self.record(depth + 1)
        if shape < 0.27:
            return Array(self.member(2), r.randint(1, 4))
        return self.scalar()

    def value(self, role):
        while True:
            ty = self.scalar() if self.random.random() < 0.55 else self.record()
            promoted = isinstance(ty, Scalar) and ty.name in PROMOTED
            # What an empty variadic argument means, no ABI says.
            unsized = isinstance(ty, Record) and leaves(ty) == 0
            if role == VARIADIC and (promoted or unsized) or leaves(ty) > MAX_LEAVES:
                continue
            if not any(quirk(ty, role) for quirk in self.quirks):
                return ty

    def prefix(self):
        """Scalars that use registers up."""
        r = self.random
        params = []
        if r.random() < 0.35:
            params += [Scalar("i64" if r.random() < 0.3 else "i32")] * r.randint(1, 9)
        if r.random() < 0.35:
            params += [Scalar(r.choice(["f32", "f64"])) for _ in range(r.randint(1, 9))]
        r.shuffle(params)
        return params

    def signature(self, convention):
        r = self.random
        params = [Scalar("ptr")] if convention == "thiscall" else []
        params += self.prefix() if r.random() < 0.8 else []
        count, fixed = r.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12]), None
        if r.random() < (0.08 if convention else 0.25):
            before = r.randint(0, count)
            params += [self.value(LEADING) for _ in range(before)]
            fixed = len(params)
            params += [self.value(VARIADIC) for _ in range(count - before)]
        else:
            params += [self.value(FIXED) for _ in range(count)]
        ret = VOID if r.random() < 0.05 else self.value(RESULT)
        return Signature(convention, ret, params, fixed)
