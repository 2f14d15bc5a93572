"""Random C signatures as type trees, and their text notation (src/types/notation.rs)."""

from dataclasses import dataclass
import random

SCALARS = {
    "bool": "_Bool",
    "i8": "signed char",
    "u8": "unsigned char",
    "i16": "short",
    "u16": "unsigned short",
    "i32": "int",
    "u32": "unsigned",
    "i64": "long long",
    "u64": "unsigned long long",
    "f32": "float",
    "f64": "double",
    "ptr": "void *",
}
NARROW = {"bool", "i8", "u8", "i16", "u16"}
PROMOTED = NARROW | {"f32"}


@dataclass(frozen=True)
class Scalar:
    name: str

    def notation(self):
        return self.name


@dataclass(frozen=True)
class Array:
    item: object
    count: int

    def notation(self):
        # C writes the outer dimension first, the notation last: "i8[2][3]" is 3 times i8[2].
        return f"{self.item.notation()}[{self.count}]"


@dataclass(frozen=True)
class Record:
    kind: str
    members: tuple  # of (type, alignment or None)
    pack: int | None

    def notation(self):
        pack = f"#{self.pack}" if self.pack else ""
        inner = ", ".join(t.notation() + (f"@{a}" if a else "") for t, a in self.members)
        return f"{self.kind}{pack}{{{inner}}}"


VOID = None


@dataclass
class Signature:
    convention: str
    ret: object
    params: list
    fixed: int | None

    def notation(self):
        items = [p.notation() for p in self.params]
        if self.fixed is not None:
            items.insert(self.fixed, "...")
        convention = self.convention + " " if self.convention else ""
        ret = self.ret.notation() if self.ret is not VOID else "void"
        return f"{convention}({', '.join(items)}) -> {ret}"


@dataclass
class Features:
    """What a target's compiler can express."""

    empty_records: bool = True
    # GNU attributes: a member's explicit alignment that lowers the type's own or wins over a
    # packed record's; Microsoft's layout rules for these are others.
    gnu_alignment: bool = True
    # A record of 1, 2, 4 or 8 bytes with an array of 3, 5, 6 or 7 bytes in it as a result:
    # clang uses memory for it like GCC does, Microsoft's manual goes by the size alone.
    odd_parts_in_result: bool = True


class Generator:
    def __init__(self, seed, features):
        self.random = random.Random(seed)
        self.features = features

    def scalar(self, names=tuple(SCALARS)):
        return Scalar(self.random.choice(names))

    def homogeneous(self):
        """A record that is, or nearly is, a homogeneous aggregate."""
        r = self.random
        base = Scalar(r.choice(["f32", "f64"]))
        members = []
        for _ in range(r.choice([1, 1, 2, 2, 3, 3, 4, 4, 5])):
            kind = r.random()
            if kind < 0.8:
                ty = base
            elif kind < 0.9:
                ty = Array(base, r.randint(1, 3))
            elif kind < 0.95:
                ty = Record("struct", tuple((base, None) for _ in range(r.randint(1, 2))), None)
            else:
                ty = Record("union", ((base, None), (Array(base, r.randint(1, 2)), None)), None)
            align = r.choice([8, 16]) if r.random() < 0.04 else None
            members.append((ty, align))
        if r.random() < 0.05:
            members.append((self.scalar(), None))
        return Record("struct", tuple(members), None)

    def bytes(self):
        """A record whose size is the point of it."""
        size = self.random.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17, 24, 31, 32, 33, 70])
        return Record("struct", ((Array(Scalar("u8"), size), None),), None)

    def record(self, depth=0):
        r = self.random
        shape = r.random()
        if shape < 0.2:
            return self.homogeneous()
        if shape < 0.28:
            return self.bytes()
        if shape < 0.3 and self.features.empty_records:
            return Record("struct", (), None)
        kind = "union" if r.random() < 0.15 else "struct"
        pack = r.choice([1, 1, 2, 4]) if r.random() < 0.12 else None
        # What a packed record does to an aligned record in it differs between compilers.
        depth = 2 if pack and not self.features.gnu_alignment else depth
        members = []
        for _ in range(r.choice([1, 1, 2, 2, 2, 3, 3, 4, 6])):
            ty = self.member(depth)
            align = None
            if pack in (None, 1) and r.random() < 0.08:
                align = self.alignment(pack)
            members.append((ty, align))
        return Record(kind, tuple(members), pack)

    def alignment(self, pack):
        if self.features.gnu_alignment:
            return self.random.choice([1, 2, 4, 8, 16, 16, 32])
        return None if pack else self.random.choice([8, 16])

    def member(self, depth):
        r = self.random
        shape = r.random()
        if depth < 2 and shape < 0.15:
            return self.record(depth + 1)
        if shape < 0.27:
            return Array(self.member(2), r.randint(1, 4))
        return self.scalar()

    def value(self):
        return self.scalar() if self.random.random() < 0.55 else self.record()

    def parameters(self):
        """Parameters, sometimes behind a prefix that uses registers up."""
        r = self.random
        params = []
        if r.random() < 0.35:
            params += [Scalar("i64" if r.random() < 0.3 else "i32")] * r.randint(1, 9)
        if r.random() < 0.35:
            params += [self.scalar(("f32", "f64"))] * r.randint(1, 9)
        r.shuffle(params)
        params += [self.value() for _ in range(r.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12]))]
        return params

    def variadic_ok(self, ty):
        if isinstance(ty, Scalar):
            return ty.name not in PROMOTED
        return bool(ty.members)

    def signature(self, convention):
        r = self.random
        params = self.parameters()
        if convention == "thiscall":
            params.insert(0, Scalar("ptr"))
        fixed = None
        if not convention and r.random() < 0.25:
            fixed = r.randint(0, len(params))
            params = params[:fixed] + [p for p in params[fixed:] if self.variadic_ok(p)]
        ret = VOID if r.random() < 0.05 else self.value()
        while not self.features.odd_parts_in_result and has_odd_part(ret):
            ret = self.value()
        return Signature(convention, ret, params, fixed)


def has_odd_part(ty):
    """Whether a type has an array, or a record inside, whose size may not be a register's."""
    if isinstance(ty, Array):
        return True
    return isinstance(ty, Record) and any(
        isinstance(m, Array) or isinstance(m, Record) for m, _ in ty.members
    )
