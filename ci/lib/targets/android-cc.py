#!/usr/bin/env python3
"""The linker that rustc calls for Android: zig's LLD with the stub libraries of android.js.

Takes the arguments of a C compiler driver. ZIG is the zig executable and ANDROID_STUBS the folder
of the libraries.
"""

import os
import sys

COMPILER_ONLY = ("-nodefaultlibs", "-nostartfiles", "-nostdlib", "-no-pie", "-static-pie", "-m64")
COMPILER_PREFIX = ("-fuse-ld", "-march", "-mcpu", "--target")


def expand(arguments):
    """The arguments with those of response files in their place."""
    for argument in arguments:
        if argument.startswith("@"):
            with open(argument[1:]) as lines:
                yield from (line.strip().strip('"').replace("\\\\", "\\") for line in lines)
        else:
            yield argument


def for_linker(argument):
    if argument.startswith("-Wl,"):
        return [word for word in argument[4:].split(",") if word and word != "--as-needed"]
    if argument in COMPILER_ONLY or argument.startswith(COMPILER_PREFIX):
        return []
    return [argument]


def main():
    zig, stubs = os.environ["ZIG"], os.environ["ANDROID_STUBS"]
    given = [word for argument in expand(sys.argv[1:]) if argument for word in for_linker(argument)]
    # Devices may have pages of 16 KiB.
    flags = ["-m", "aarch64linux", "--eh-frame-hdr", "--hash-style=both", "--enable-new-dtags"]
    flags += ["-z", "max-page-size=16384", "-z", "now", "-z", "relro"]
    libraries = ["-lclang_rt", "-lc", "-lm", "-ldl"]
    start = [f"{stubs}/crtbegin_so.o", f"-L{stubs}"]
    os.execv(zig, [zig, "ld.lld", *flags, *start, *given, *libraries])


main()
