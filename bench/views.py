#!/usr/bin/env python3
"""Views a second and their CPU: plain nginx, nginx with serve-svc, and berthd alone, of the same files in one run.

They take turns, so that whatever else the machine does falls on all of them, and what counts is the ratio.
Decisions and counts stay on, but for one target that has both off and shows what they cost.
Usage: bench/views.py [--seconds N] [--rounds N] [--connections N] [--sizes "10 KB,1 MB"] [--bin DIR]
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = {"10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000}
PLAIN, ON, OFF = "plain nginx", "nginx + serve-svc", "the same, nothing decided"
# Whose pages show the pictures: each view says so, and is judged by it.
BLOG = "blog.example"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def picture(size):
    """A true PNG of about so many bytes: noise that can't be compressed."""
    width = 100
    height = max(1, (size - 100) // (width * 3 + 1))
    noise = random.Random(size)
    rows = b"".join(b"\0" + noise.randbytes(width * 3) for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def wait_for(what, probe, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if probe():
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"{what} did not come up within {seconds} s")


def answers(url):
    return lambda: urllib.request.urlopen(url, timeout=2).status == 200


class Bench:
    def __init__(self, folder, binaries):
        self.folder, self.binaries, self.children = folder, binaries, []
        self.data = folder / "data"

    def cpu(self, children):
        """Seconds of CPU that these processes and their own children (nginx's workers) have used."""
        ticks = 0
        for child in children:
            workers = pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
            for pid in [child.pid, *workers]:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def spawn(self, command, environment=None):
        log = open(self.folder / f"{pathlib.Path(command[0]).name}-{len(self.children)}.log", "wb")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("BERTH_")}
        child = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env={**clean, **(environment or {})})
        self.children.append(child)
        return child

    def stop(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()

    def berthd(self):
        port = free_port()
        settings = {"BERTH_RATE_LIMIT": "0", "BERTH_ACCOUNT_RATE_LIMIT": "0", "BERTH_LOG": "warn", "BERTH_TRUSTED_PROXIES": "127.0.0.1,unix"}
        settings["BERTH_HOTLINK_ALLOW"] = BLOG
        child = self.spawn([self.binaries / "berthd", "--data", self.data, "--listen", f"127.0.0.1:{port}"], settings)
        wait_for("berthd", lambda: (self.data / "first-run.json").exists() and answers(f"http://127.0.0.1:{port}/")(), 60)
        self.first = json.loads((self.data / "first-run.json").read_text())
        return Target(f"http://127.0.0.1:{port}", {"berthd": child})

    def upload(self, base, size):
        body = picture(size)
        boundary = "bench" + str(size)
        form = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="bench-{size}.png"\r\n\r\n'.encode()
            + body
            + f"\r\n--{boundary}--\r\n".encode()
        )
        request = urllib.request.Request(
            base + "/v1/images",
            form,
            {"Authorization": "Bearer " + self.first["token"], "Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        image = json.load(urllib.request.urlopen(request))["images"][0]
        path = f"/{image['md5'][:2]}/{image['md5'][2:]}.png"
        return image["url"].removeprefix(self.first["url"]), path

    def serve_behind_nginx(self, name, rest):
        sock = self.folder / f"{name}.sock"
        settings = {
            "BERTH_LISTEN": f"unix:{sock}",
            "BERTH_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
            "BERTH_DATA": str(self.data),
            "BERTH_DATABASE_URL": f"host={self.data}/postgres/socket user=berth_serve dbname=berth",
            "BERTH_SECRET": "0" * 64,
            "BERTH_DELIVERY": "accel",
            "BERTH_BASE_URL": self.first["url"],
            "BERTH_LOG": "warn",
            "BERTH_HOTLINK_ALLOW": BLOG,
            "BERTH_JOURNAL": str(self.data / name),
        }
        serve = self.spawn([self.binaries / "serve-svc"], {**settings, **rest})
        wait_for("serve-svc", sock.exists)
        port = free_port()
        variables = {
            "BERTH_SERVER_NAME": "_",
            "BERTH_NGINX_LISTEN": f"127.0.0.1:{port}",
            "BERTH_NGINX_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
            "BERTH_NGINX_ACCESS_LOG": str(self.folder / "access.log"),
            "BERTH_UPLOAD_UPSTREAM": "127.0.0.1:9",
            "BERTH_SERVE_UPSTREAM": f"unix:{sock}",
            "BERTH_BLOBS": str(self.data / "blobs"),
            "BERTH_MAX_REQUEST_BYTES": "5368709120",
            "BERTH_CLIENT_CONNECTIONS": "65535",
        }
        configuration = self.folder / f"{name}-nginx"
        subprocess.run([ROOT / "scripts/render-nginx.sh", configuration], env={**os.environ, **variables}, check=True)
        nginx = self.nginx(configuration / "nginx.conf", f"{name}-prefix")
        wait_for("nginx", answers(f"http://127.0.0.1:{port}/"))
        return Target(f"http://127.0.0.1:{port}", {"nginx": nginx, "serve-svc": serve})

    def plain_nginx(self):
        port = free_port()
        configuration = self.folder / "plain.conf"
        configuration.write_text(
            f"""
            worker_processes auto; worker_rlimit_nofile 20480; pid plain.pid; error_log stderr alert;
            events {{ worker_connections 8192; }}
            http {{
                sendfile on; tcp_nopush off; tcp_nodelay on; keepalive_requests 10000; access_log off;
                open_file_cache max=4096 inactive=10s; open_file_cache_valid 5s; open_file_cache_min_uses 1;
                client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
                default_type image/png;
                server {{ listen 127.0.0.1:{port}; root {self.data}/blobs; }}
            }}"""
        )
        return Target(f"http://127.0.0.1:{port}", {"nginx": self.nginx(configuration, "plain-nginx")})

    def nginx(self, configuration, name):
        prefix = self.folder / name
        prefix.mkdir()
        user = "user root; " if os.getuid() == 0 else ""
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        return self.spawn([nginx, "-p", prefix, "-c", configuration, "-g", f"{user}daemon off;"])


class Target:
    """Something that answers views: where, and the processes that do it by their names."""

    def __init__(self, base, processes):
        self.base, self.processes = base, processes


class Turn:
    """What one turn came to: views a second, the 99th percentile in ms, microseconds of CPU a view by process."""

    def __init__(self, bench, target, url, options):
        referer = f"Referer: https://{BLOG}/2026/11/a-post.html"
        command = ["wrk", "-t2", f"-c{options.connections}", f"-d{options.seconds}s", "-H", referer, "--latency", url]
        before = {name: bench.cpu([child]) for name, child in target.processes.items()}
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in text or "Socket errors" in text:
            sys.exit(f"{url} did not answer every request:\n{text}")
        views = int(re.search(r"(\d+) requests in", text)[1])
        self.cpu = {name: (bench.cpu([child]) - before[name]) / views * 1e6 for name, child in target.processes.items()}
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
        number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
        self.p99 = float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-bench-"))
    folder.chmod(0o755)
    bench = Bench(folder, options.bin.resolve())
    try:
        berthd = bench.berthd()
        paths = {name: bench.upload(berthd.base, SIZES[name]) for name in options.sizes.split(",")}
        off = {"BERTH_HOTLINK_RULES": "off", "BERTH_COUNT_VIEWS": "off"}
        targets = {
            PLAIN: bench.plain_nginx(),
            ON: bench.serve_behind_nginx("on", {}),
            OFF: bench.serve_behind_nginx("off", off),
            "berthd alone": berthd,
        }
        turns = {}
        for name, (view, file) in paths.items():
            for turn in range(options.rounds):
                for called, target in targets.items():
                    print(f"\r  {name}, round {turn + 1} of {options.rounds}: {called:<28}", end="", file=sys.stderr, flush=True)
                    url = target.base + (file if called == PLAIN else view)
                    turns.setdefault((name, called), []).append(Turn(bench, target, url, options))
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
        table(paths, targets, turns, options)
        cost(paths, turns)
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


def median(turns, read):
    return statistics.median(read(turn) for turn in turns)


def table(paths, targets, turns, options):
    print(f"Views, hot, {options.connections} connections, {options.rounds} x {options.seconds} s each, taking turns; ratio to plain nginx")
    print(f"{'size':<8}{'served by':<28}{'views/s':>9}{'ratio':>7}{'p99 ms':>8}  CPU µs a view")
    for name in paths:
        ceiling = median(turns[name, PLAIN], lambda turn: turn.rate)
        for called, target in targets.items():
            own = turns[name, called]
            rate, late = median(own, lambda turn: turn.rate), median(own, lambda turn: turn.p99)
            cpu = ", ".join(f"{process} {median(own, lambda turn: turn.cpu[process]):.1f}" for process in target.processes)
            print(f"{name:<8}{called:<28}{rate:>9.0f}{rate / ceiling:>7.2f}{late:>8.1f}  {cpu}")


def cost(paths, turns):
    """What deciding and counting cost together: turn by turn, both on against both off."""
    print("\nDeciding and counting, of a view's CPU (nginx and serve-svc): both on against both off")
    for name in paths:
        pairs = zip(turns[name, ON], turns[name, OFF])
        shares = [1 - sum(off.cpu.values()) / sum(on.cpu.values()) for on, off in pairs]
        print(f"{name:<8}{statistics.median(shares):>7.1%}  (from {min(shares):.1%} to {max(shares):.1%})")


if __name__ == "__main__":
    main()
