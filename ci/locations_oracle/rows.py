"""The ABIs that are checked."""

from dataclasses import dataclass

from .generate import Dialect
from .quirks import (
    aligned_union,
    aligned_variadic,
    leading_composite,
    odd_part_in_result,
    small_record_in_fastcall,
)

GNU = Dialect()
MICROSOFT = Dialect(empty_records=False, gnu_alignment=False)


@dataclass(frozen=True)
class Row:
    name: str
    # As jit-tests/src/bin/locations.rs names it, and as zig does.
    target: str
    zig: str
    # The golden file whose lines are checked, too.
    golden: str | None
    dialect: Dialect = GNU
    quirks: tuple = ()
    convention: str = ""
    # Whether callees widen narrow results, as our table says ours do. Where clang's do not, no
    # caller can count on it.
    widens_results: bool = False


def x86_rows():
    systems = [
        ("linux", "linux-gnu", GNU),
        ("windows-gnu", "windows-gnu", GNU),
        ("windows-msvc", "windows-msvc", MICROSOFT),
    ]
    for system, zig, dialect in systems:
        for convention in ["", "stdcall", "fastcall", "thiscall"]:
            quirks = [aligned_union]
            if dialect is MICROSOFT:
                quirks.append(odd_part_in_result)
            elif convention == "fastcall":
                quirks.append(small_record_in_fastcall)
            yield Row(
                f"x86-{system}-{convention or 'cdecl'}",
                f"x86-{system}",
                f"x86-{zig}",
                f"x86-{system}.txt",
                dialect,
                tuple(quirks),
                convention,
            )


ROWS = [
    Row("sysv64-linux", "x86_64-linux", "x86_64-linux-gnu", "sysv64.txt"),
    Row("sysv64-macos", "x86_64-macos", "x86_64-macos", None),
    Row("win64-gnu", "x86_64-windows-gnu", "x86_64-windows-gnu", "win64.txt"),
    Row("win64-msvc", "x86_64-windows-msvc", "x86_64-windows-msvc", None, MICROSOFT),
    Row("aapcs64-linux", "aarch64-linux", "aarch64-linux-gnu", "aapcs64-linux.txt"),
    Row(
        "aapcs64-darwin",
        "aarch64-macos",
        "aarch64-macos",
        "aapcs64-darwin.txt",
        widens_results=True,
    ),
    Row(
        "aapcs64-windows",
        "aarch64-windows-gnu",
        "aarch64-windows-gnu",
        "aapcs64-windows.txt",
        quirks=(aligned_variadic, leading_composite),
    ),
    Row("aapcs32", "arm-linux", "arm-linux-gnueabihf", "aapcs32.txt", widens_results=True),
    *x86_rows(),
]
