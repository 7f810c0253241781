#!/usr/bin/env python3
"""A thumbnail of a JPEG of twelve megapixels: what berth's decoder process does, against vipsthumbnail.

Both are processes of their own and take turns. What starting the program costs is measured with a tiny picture and taken
off. Usage: bench/thumbnails.py --program target/release/examples/thumbnail [--rounds N]
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

# What is promised: the share of time that vipsthumbnail takes, and MB.
MOST_TIME, MOST_MEGABYTES = 1.5, 80


def run(command):
    """(seconds, peak of memory in MB)"""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command[0]} failed")
    return took, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if not shutil.which("vipsthumbnail"):
        sys.exit("vipsthumbnail is not installed (Debian: libvips-tools)")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        large, tiny, out = folder / "large.jpg", folder / "tiny.jpg", folder / "out.webp"
        subprocess.run([options.program, "draw", "4000", "3000", large], check=True)
        subprocess.run([options.program, "draw", "16", "12", tiny], check=True)
        # One thread for both: upload-svc uses one a picture.
        os.environ["VIPS_CONCURRENCY"] = "1"
        commands = {
            "berth": lambda file: [options.program, "make", file, out],
            "vipsthumbnail": lambda file: ["vipsthumbnail", file, "--size", "300x>", "-o", f"{out}[Q=75]"],
        }
        took = {(name, file): [] for name in commands for file in (large, tiny)}
        peak = dict.fromkeys(commands, 0)
        for _ in range(options.rounds):
            for name, command in commands.items():
                for file in (large, tiny):
                    seconds, megabytes = run(command(file))
                    took[name, file].append(seconds)
                    peak[name] = max(peak[name], megabytes)
        print(f"\nThumbnail (300 px, WebP) of a 12-megapixel JPEG of {large.stat().st_size / 1e6:.1f} MB, median of {options.rounds}")
        print(f"{'':14} {'whole':>8} {'start':>8} {'net':>8} {'peak':>8}")
        net = {}
        for name in commands:
            whole, start = (statistics.median(took[name, file]) for file in (large, tiny))
            net[name] = whole - start
            print(f"{name:14} {whole * 1000:5.0f} ms {start * 1000:5.0f} ms {net[name] * 1000:5.0f} ms {peak[name]:5.0f} MB")
        ratio = net["berth"] / net["vipsthumbnail"]
        verdict = "ok" if ratio <= MOST_TIME and peak["berth"] <= MOST_MEGABYTES else "MISSED"
        print(f"time ratio {ratio:.2f} (at most {MOST_TIME}), peak {peak['berth']:.0f} MB (at most {MOST_MEGABYTES}): {verdict}")


if __name__ == "__main__":
    main()
