"""Where our tables deliberately differ from clang's callees: each a rule of the ABI's owner that
clang does not follow. A quirk is a predicate of a type in its role in a signature."""

from .notation import NARROW, Array, Record, Scalar, leaves

# LEADING: a fixed argument of a variadic function.
FIXED, LEADING, VARIADIC, RESULT = "fixed", "leading", "variadic", "result"


def odd_part_in_result(ty, role):
    """Microsoft's manual returns records of 1, 2, 4 and 8 bytes in registers; clang only those
    without a part of another size, as GCC does, of which Microsoft says nothing."""
    if role != RESULT or not isinstance(ty, Record) or least_bytes(ty) > 8:
        return False
    return any(
        isinstance(member, Record)
        or isinstance(member, Array)
        and (not isinstance(member.item, Scalar) or least_bytes(member) not in (1, 2, 4, 8))
        for member, _ in ty.members
    )


def small_record_in_fastcall(ty, role):
    """GCC counts the word of a record of up to 4 bytes against fastcall's registers; clang, which
    means to do the same, miscounts unless the record is one 4-byte scalar."""
    return role != RESULT and isinstance(ty, Record) and 0 < least_bytes(ty) <= 4


def aligned_variadic(ty, role):
    """Windows on ARM64 starts a variadic argument aligned to 16 at an even register, and so do
    clang's callers and Microsoft's va_arg; clang's va_arg does not."""
    return role == VARIADIC and has_alignment(ty, 16)


def leading_composite(ty, role):
    """Windows on ARM64 treats all arguments of a variadic function alike, as if to a stack whose
    first 64 bytes are in x0 to x7, so that a composite of two registers may be half in x7. clang's
    va_arg agrees; clang's callers and fixed parameters put the whole of it on the stack."""
    composite = role == LEADING and isinstance(ty, Record)
    return composite and least_bytes(ty) <= 16 and leaves(ty) > 1


def aligned_union(ty, role):
    """clang passes only the largest member of a union whose explicit alignment makes it as large
    as the sum of its members; GCC passes the union."""
    return role != RESULT and isinstance(ty, Record) and ty.kind == "union" and has_alignment(ty, 8)


def least_bytes(ty):
    """A lower bound of a type's size."""
    if isinstance(ty, Scalar):
        return 1 if ty.name in NARROW else 8 if ty.name in ("i64", "u64", "f64") else 4
    if isinstance(ty, Array):
        return ty.count * least_bytes(ty.item)
    sizes = [least_bytes(m) for m, _ in ty.members]
    return (sum(sizes) if ty.kind == "struct" else max(sizes)) if sizes else 0


def has_alignment(ty, least):
    """Whether anything in a type is explicitly aligned to `least` or more."""
    if isinstance(ty, Array):
        return has_alignment(ty.item, least)
    return isinstance(ty, Record) and any(
        (align or 1) >= least or has_alignment(member, least) for member, align in ty.members
    )


def role(fixed, index):
    """The role of a parameter, where `fixed` parameters come before the "..." if there is one."""
    if fixed is None:
        return FIXED
    return LEADING if index < fixed else VARIADIC


def excluded(signature, quirks):
    """Whether any quirk concerns a signature."""
    parts = [(ty, role(signature.fixed, i)) for i, ty in enumerate(signature.params)]
    parts.append((signature.ret, RESULT))
    return any(quirk(ty, role) for ty, role in parts for quirk in quirks)
