"""A wall clock that a test can set."""
import os
import subprocess


def jumping_clock(folder):
    """What programs are started with so that their wall clock is off by what the file says."""
    library, offset = os.path.join(folder, "clock.so"), os.path.join(folder, "offset")
    source = os.path.join(os.path.dirname(__file__), "jumping_clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    with open(offset, "w") as f:
        f.write("0")
    return offset, {"LD_PRELOAD": library, "CLOCK_OFFSET": offset,
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}
