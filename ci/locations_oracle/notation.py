"""C signatures as type trees, and their text form (src/types/notation.rs)."""

import re
from dataclasses import dataclass

# The C type of each scalar.
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
VOID = None


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


def leaves(ty):
    """How many scalars a type holds."""
    if isinstance(ty, Array):
        return ty.count * leaves(ty.item)
    return sum(leaves(m) for m, _ in ty.members) if isinstance(ty, Record) else 1


class Parser:
    """Reads the notation; raises ValueError on anything else."""

    def __init__(self, text):
        self.tokens = re.findall(r"\.\.\.|->|\w+|\S", text)

    def accept(self, token):
        found = self.tokens[:1] == [token]
        if found:
            self.tokens.pop(0)
        return found

    def expect(self, token):
        if not self.accept(token):
            raise ValueError(f"expected {token!r} before {self.tokens}")

    def list(self, end, item):
        if self.accept(end):
            return
        item()
        while self.accept(","):
            item()
        self.expect(end)

    def type(self):
        word = self.tokens.pop(0)
        if word in ("struct", "union"):
            ty = self.record(word)
        elif word == "void":
            return VOID
        elif word in SCALARS:
            ty = Scalar(word)
        else:
            raise ValueError(f"unknown type {word!r}")
        while self.accept("["):
            ty = Array(ty, int(self.tokens.pop(0)))
            self.expect("]")
        return ty

    def record(self, kind):
        pack = int(self.tokens.pop(0)) if self.accept("#") else None
        members = []

        def member():
            ty = self.type()
            members.append((ty, int(self.tokens.pop(0)) if self.accept("@") else None))

        self.expect("{")
        self.list("}", member)
        return Record(kind, tuple(members), pack)

    def signature(self):
        convention = "" if self.tokens[0] == "(" else self.tokens.pop(0)
        result = Signature(convention, VOID, [], None)

        def item():
            if self.accept("..."):
                result.fixed = len(result.params)
            else:
                result.params.append(self.type())

        self.expect("(")
        self.list(")", item)
        self.expect("->")
        result.ret = self.type()
        if self.tokens:
            raise ValueError(f"unexpected {self.tokens}")
        return result
