"""The programs that are measured, and what they are measured against."""
import functools
import os
import shutil
import subprocess

import report
from process import LOAD_CPU, SERVER_CPU, Process, free_port

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.environ.get("BIN", "build/release/bin")
WORK = os.path.abspath(os.path.join(report.OUT, "work"))
ANSWER = b"x" * 200


def work_dir(name):
    path = os.path.join(WORK, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


# One process, as haproxy and the gateway are here; a master above it would only sleep.
NGINX = """
daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
{user}
events {{ worker_connections 4096; }}
http {{
    access_log {access_log};
    keepalive_requests 1000000000;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
    {http}
    server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ {location} }} }}
}}
"""


def nginx(name, location, http="", access_log=False, cpus=None):
    directory, port = work_dir(name), free_port()
    log = f"{directory}/access.log"
    conf = NGINX.format(dir=directory, port=port, http=http, location=location,
                        user="user root;" if os.getuid() == 0 else "",
                        access_log=log if access_log else "off")
    argv = ["nginx", "-e", f"{directory}/error.log", "-c", write(f"{directory}/nginx.conf", conf)]
    p = Process(name, argv, cpus=cpus, log=f"{directory}/output")
    p.url = f"http://127.0.0.1:{port}/function/bench"
    p.health = p.url
    p.port = port
    if access_log:
        p.trim_log = lambda: os.truncate(log, 0)
    return p


def upstream():
    """Every function there is: 200 bytes, kept alive."""
    return nginx("upstream", f'return 200 "{ANSWER.decode()}";', cpus=LOAD_CPU)


# What the gateway does to a request's headers, as far as configuration goes.
NGINX_PROXY = """
proxy_pass http://function; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $http_host; proxy_set_header X-Call-Id $request_id;
proxy_set_header X-Start-Time $msec; proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
"""


def nginx_proxy(name, upstream_port, access_log):
    return nginx(name, NGINX_PROXY, cpus=SERVER_CPU, access_log=access_log,
                 http=f"upstream function {{ server 127.0.0.1:{upstream_port}; keepalive 512; "
                      "keepalive_requests 1000000000; }")


HAPROXY = """
global
    nbthread 1
    maxconn 8192
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option http-keep-alive
    option forwardfor
    http-reuse always
    unique-id-format %{{+X}}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid
    unique-id-header X-Call-Id
frontend in
    bind 127.0.0.1:{port} backlog 4096
    default_backend function
backend function
    server one 127.0.0.1:{upstream}
"""


def haproxy(upstream_port):
    directory, port = work_dir("haproxy"), free_port()
    conf = write(f"{directory}/haproxy.cfg", HAPROXY.format(port=port, upstream=upstream_port))
    p = Process("haproxy", ["haproxy", "-db", "-q", "-f", conf], cpus=SERVER_CPU,
                log=f"{directory}/output")
    p.url = p.health = f"http://127.0.0.1:{port}/function/bench"
    return p


def compile_c(name, *args):
    out = os.path.join(WORK, name)
    os.makedirs(WORK, exist_ok=True)
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", out, os.path.join(HERE, f"{name}.c"),
                    *args], check=True)
    return out


def tiny_echo():
    return compile_c("tiny_echo", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector")


@functools.cache
def bare_proxy_program():
    libs = subprocess.run(["pkg-config", "--libs", "libmicrohttpd"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()
    return compile_c("bare_proxy", "-std=gnu11", "-D_GNU_SOURCE", "-I.",
                     os.path.join(os.path.dirname(BIN), "libminnow.a"), *libs, "-lpthread", "-lm")


def bare_proxy(upstream_port):
    program, port = bare_proxy_program(), free_port()
    p = Process("bare_proxy", [program, str(port), str(upstream_port)], cpus=SERVER_CPU,
                log=f"{work_dir('bare_proxy.d')}/output")
    p.url = p.health = f"http://127.0.0.1:{port}/function/bench"
    return p


GO_BIN = os.path.abspath(os.path.join(report.OUT, "bin"))


def _go(*args, env=None):
    return subprocess.run(["go", *args], env={**os.environ, "CGO_ENABLED": "0", **(env or {})},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)


@functools.cache
def _installed(name):
    """OpenFaaS's Go program of that name, or None."""
    program = os.path.join(GO_BIN, name)
    if not os.path.exists(program):
        out = _go("install", "-trimpath", "-ldflags", "-s -w", f"github.com/openfaas/{name}@latest",
                  env={"GOBIN": GO_BIN})
        if out.returncode:
            report.say(f"{name} cannot be installed, left out: {out.stdout.strip().splitlines()[-1]}")
    return program if os.path.exists(program) else None


def go_watchdogs():
    return _go_peers("classic-watchdog")


def go_of_watchdogs():
    return _go_peers("of-watchdog")


def _go_standin(folder):
    """A program of ours in Go's standard library alone."""
    program = os.path.join(GO_BIN, folder)
    out = _go("build", "-trimpath", "-ldflags", "-s -w", "-o", program,
              os.path.join(HERE, folder, "main.go"))
    if out.returncode:
        raise RuntimeError(out.stdout)
    return program


def go_clis():
    """{name: program}: OpenFaaS's CLI where it can be had, and what Go alone costs."""
    if not shutil.which("go"):
        report.say("No Go toolchain: the Go command lines are left out.")
        return {}
    found = {"Go, list alone": _go_standin("go_list")}
    original = _installed("faas-cli")
    if original:
        found["Go faas-cli"] = original
    return found


def _go_peers(name):
    """{name: program} of the Go peers that can be had here; says what cannot."""
    found = {}
    if not shutil.which("go"):
        report.say("No Go toolchain: the Go watchdogs are left out.")
        return found
    original = _installed(name)
    if original:
        found[name] = original
    found["go-standin"] = _go_standin("go_standin")
    return found


def fwatchdog():
    program = os.path.join(BIN, "fwatchdog")
    if os.path.exists(program):
        return {"fwatchdog": program}
    report.say(f"{program} has not been built: left out.")
    return {}


def watchdog(name, program, fprocess, cpus, **settings):
    """A running watchdog. The classic one serves metrics on 8081, whatever one says: one at a time."""
    port = free_port()
    env = {"fprocess": fprocess, "port": str(port), "metrics_port": str(free_port()),
           "suppress_lock": "true", "GOMAXPROCS": str(len(cpus)), **settings}
    p = Process(name, [os.path.abspath(program)], env=env, cpus=cpus)
    p.url = f"http://127.0.0.1:{port}/"
    p.health = f"http://127.0.0.1:{port}/_/health"
    return p
