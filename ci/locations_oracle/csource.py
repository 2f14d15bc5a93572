"""C source of the callees: each dumps its arguments into memory and returns bytes from memory.

`D` receives each argument's bytes, `DUMP` bytes apart; `W` receives narrow integers widened;
`R` holds the result's bytes; `L` holds the C compiler's own layout of every type.
"""

from .notation import NARROW, SCALARS, VOID, Array, Record, Scalar

DUMP = 2048
ARGS = 40

PRELUDE = f"""
typedef __builtin_va_list va_list;
EXPORT unsigned char D[{ARGS * DUMP}] __attribute__((aligned(64)));
EXPORT long long W[{ARGS}];
EXPORT unsigned char R[{DUMP}] __attribute__((aligned(64)));
#define MEM __attribute__((used, no_builtin("memcpy", "memmove", "memset"), visibility("hidden")))
MEM void *memcpy(void *d, const void *s, __SIZE_TYPE__ n) {{
  volatile char *to = d; const volatile char *from = s;
  while (n--) *to++ = *from++;
  return d;
}}
MEM void *memmove(void *d, const void *s, __SIZE_TYPE__ n) {{
  volatile char *to = d; const volatile char *from = s;
  if (to <= from) return memcpy(d, s, n);
  while (n--) to[n] = from[n];
  return d;
}}
MEM void *memset(void *d, int c, __SIZE_TYPE__ n) {{
  volatile char *to = d;
  while (n--) *to++ = (char)c;
  return d;
}}
#ifdef __arm__
MEM void __aeabi_memcpy(void *d, const void *s, __SIZE_TYPE__ n) {{ memcpy(d, s, n); }}
MEM void __aeabi_memcpy4(void *d, const void *s, __SIZE_TYPE__ n) {{ memcpy(d, s, n); }}
MEM void __aeabi_memcpy8(void *d, const void *s, __SIZE_TYPE__ n) {{ memcpy(d, s, n); }}
#endif
#ifdef _WIN32
int _fltused;
#endif
"""


class Source:
    """Collects declarations and callees; types are declared once."""

    def __init__(self, microsoft):
        self.microsoft = microsoft
        self.lines = []
        self.names = {}
        self.layout = []

    def declare(self, ty):
        """The C name of a scalar or record."""
        if ty is VOID:
            return "void"
        if isinstance(ty, Scalar):
            return SCALARS[ty.name]
        if ty not in self.names:
            members = [self.member(i, m, align, ty) for i, (m, align) in enumerate(ty.members)]
            attribute, before, after = "", "", ""
            if ty.pack == 1 and not self.microsoft:
                attribute = "__attribute__((packed)) "
            elif ty.pack:
                before, after = f"#pragma pack(push, {ty.pack})\n", "\n#pragma pack(pop)"
            name = f"T{len(self.names)}"
            self.lines.append(
                f"{before}typedef {ty.kind} {attribute}{{ {' '.join(members)} }} {name};{after}"
            )
            self.names[ty] = name
        return self.names[ty]

    def member(self, index, ty, align, record):
        dimensions = ""
        while isinstance(ty, Array):
            dimensions += f"[{ty.count}]"
            ty = ty.item
        text = f"{self.declare(ty)} m{index}{dimensions}"
        if align is None:
            return text + ";"
        if self.microsoft:
            return f"__declspec(align({align})) {text};"
        packed = "" if record.pack else "packed, "
        return f"{text} __attribute__(({packed}aligned({align})));"

    def leaves(self, ty, path=""):
        """Member paths of all scalars, in declaration order."""
        if isinstance(ty, Scalar):
            yield path
        elif isinstance(ty, Array):
            for i in range(ty.count):
                yield from self.leaves(ty.item, f"{path}[{i}]")
        else:
            for i, (member, _) in enumerate(ty.members):
                yield from self.leaves(member, f"{path}.m{i}" if path else f"m{i}")

    def describe(self, ty):
        """Appends size, alignment and leaf offsets of a type to the layout table."""
        name = self.declare(ty)
        self.layout += [f"sizeof({name})"]
        if isinstance(ty, Record):
            paths = list(self.leaves(ty))
            self.layout += [f"_Alignof({name})"]
            self.layout += [f"__builtin_offsetof({name}, {path})" for path in paths]

    def callee(self, index, signature):
        fixed = signature.fixed if signature.fixed is not None else len(signature.params)
        params, body = [], []
        for i, ty in enumerate(signature.params):
            name = self.declare(ty)
            if i < fixed:
                params.append(f"{name} a{i}")
            else:
                body.append(f"{name} a{i} = __builtin_va_arg(ap, {name});")
            body.append(f"__builtin_memcpy(D + {i * DUMP}, &a{i}, sizeof a{i});")
            if isinstance(ty, Scalar) and ty.name in NARROW:
                body.append(f"W[{i}] = a{i};")
            self.describe(ty)
        if signature.fixed is not None:
            params.append("...")
            # C23 needs no named parameter.
            last = f"a{fixed - 1}" if fixed else "0"
            body.insert(0, f"va_list ap; __builtin_va_start(ap, {last});")
        ret = self.declare(signature.ret)
        if signature.ret is not VOID:
            self.describe(signature.ret)
            body.append(f"return *({ret} *)R;")
        # A variadic function is cdecl whatever it is declared; clang refuses other declarations.
        plain = signature.fixed is not None or not signature.convention
        convention = "" if plain else f"__attribute__(({signature.convention})) "
        self.lines.append(
            f"EXPORT {convention}{ret} f{index}({', '.join(params) or 'void'}) "
            f"{{ {' '.join(body)} }}"
        )

    def text(self):
        layout = ", ".join(self.layout)
        return "\n".join([PRELUDE, *self.lines, f"EXPORT const unsigned L[] = {{ {layout} }};", ""])
