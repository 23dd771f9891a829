"""What is expected of every template, whatever its language: first of the server that it comes with, run as
the watchdog runs it, then of a function from `new` to `remove` on a real gateway."""

import contextlib
import http.client
import json
import os
import shlex
import signal
import socket
import subprocess

from cli_helpers import FUNCTION_PATH
from minnow import wait_until

# Each answers as its name says: /boom fails, /teapot has a status and a header, /wait answers when there is
# a file called "go", anything else sends the body back.
HTTP_HANDLERS = {
    "python3-http": {"handler.py": """\
import os, time

def handle(event, context):
    if event.path == "/boom":
        raise ValueError("no good")
    if event.path == "/teapot":
        return {"statusCode": 418, "headers": {"X-Tea": event.query.get("tea")}, "body": {"short": True}}
    if event.path == "/wait":
        print("waiting")
        while not os.path.exists("go"):
            time.sleep(0.01)
        return "done"
    print("got", event.headers.get("x-word"))
    return event.body
"""},
    "node": {"handler.js": """\
const fs = require("fs");

module.exports = async (event, context) => {
  if (event.path === "/boom") throw new Error("no good");
  if (event.path === "/teapot") return context.status(418).headers({ "X-Tea": event.query.tea }).succeed({ short: true });
  if (event.path === "/wait") {
    console.log("waiting");
    while (!fs.existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 10));
    return "done";
  }
  console.log("got", event.headers["x-word"]);
  return event.body;
};
"""},
    "go": {"handler.go": """\
package function

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

func Handle(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/boom":
		http.Error(w, "no good", http.StatusInternalServerError)
		fmt.Fprintln(os.Stderr, "no good")
	case "/teapot":
		w.Header().Set("X-Tea", r.URL.Query().Get("tea"))
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, `{"short": true}`)
	case "/wait":
		fmt.Println("waiting")
		for {
			if _, err := os.Stat("go"); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Fprint(w, "done")
	default:
		fmt.Println("got", r.Header.Get("X-Word"))
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
}
"""},
    "ruby": {"handler.rb": """\
class Handler
  def run(body, headers, request)
    path, query = request.target.split("?", 2)
    case path
    when "/boom" then raise "no good"
    when "/teapot" then [{ short: true }, { "X-Tea" => query.delete_prefix("tea=") }, 418]
    when "/wait"
      puts "waiting"
      sleep 0.01 until File.exist?("go")
      "done"
    else
      puts "got #{headers['x-word']}"
      body.read
    end
  end
end
"""},
    "java": {"src/main/java/com/openfaas/function/Handler.java": """\
package com.openfaas.function;

import com.openfaas.model.*;
import java.nio.file.*;

public class Handler extends AbstractHandler {
    public IResponse Handle(IRequest request) {
        Response response = new Response();
        switch (request.getPathRaw()) {
            case "/boom":
                throw new IllegalStateException("no good");
            case "/teapot":
                response.setStatusCode(418);
                response.setHeader("X-Tea", request.getQuery().get("tea"));
                response.setBody("{\\"short\\": true}");
                break;
            case "/wait":
                System.out.println("waiting");
                while (!Files.exists(Path.of("go"))) {
                    try {
                        Thread.sleep(10);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
                response.setBody("done");
                break;
            default:
                System.out.println("got " + request.getHeader("x-word"));
                response.setBody(request.getBodyBytes());
        }
        return response;
    }
}
"""},
    "rust": {"src/lib.rs": """\
use faas::{Request, Response};
use std::{path::Path, thread, time::Duration};

pub fn handle(request: Request) -> Response {
    match request.path.as_str() {
        "/boom" => panic!("no good"),
        "/teapot" => Response::new("{\\"short\\": true}")
            .with_status(418)
            .with_header("X-Tea", request.query.trim_start_matches("tea=")),
        "/wait" => {
            println!("waiting");
            while !Path::new("go").exists() {
                thread::sleep(Duration::from_millis(10));
            }
            "done".into()
        }
        _ => {
            println!("got {}", request.header("X-Word").unwrap_or("nothing"));
            request.body.into()
        }
    }
}
"""},
}


class Server:
    """A function's own server, as its bundle says how to start it, on a port that is free."""

    def __init__(self, cli, name, **env):
        self.folder = cli.path("build", name)
        manifest = json.loads(cli.read(f"build/{name}/bundle.json"))
        assert manifest["environment"] == {"mode": "http", "upstream_url": "http://127.0.0.1:0"}
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.process = subprocess.Popen(
            shlex.split(manifest["fprocess"]), cwd=self.folder, stdout=self.log, stderr=self.log,
            env={"PATH": FUNCTION_PATH, "http_port": str(self.port), "PORT": "1", **env})
        wait_until(self.answers, f"{name} to listen")

    def answers(self):
        assert self.process.poll() is None, self.said()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def said(self):
        with open(self.log.name) as f:
            return f.read()

    def connect(self):
        return contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.log.close()


def build(cli, lang, files=None, **env):
    """A function called f, of the handler above unless files are given; returns its server, running."""
    cli.write("stack.yaml", f"provider: {{name: openfaas}}\nfunctions:\n  f: {{lang: {lang}, handler: ./f, image: f}}\n")
    for path, text in (files or HTTP_HANDLERS[lang]).items():
        cli.write(f"f/{path}", text)
    cli("build", "--builder", "bundle", "--quiet", timeout=300)
    return Server(cli, "f", **env)


def ask(connection, method, target, body=None, **headers):
    connection.request(method, target, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    return answer, answer.read()


def check_requests(server):
    everything = bytes(range(256)) * 300
    with server.connect() as c:
        answer, body = ask(c, "POST", "/", everything, Content_Type="application/octet-stream", X_Word="hello")
        assert (answer.status, body) == (200, everything)
        assert answer.headers["Content-Length"] == str(len(everything))
        kept = c.sock
        # Sent in chunks, because nobody knows how long it will be.
        answer, body = ask(c, "PUT", "/a%20b?c=d", iter([b"one ", b"", b"two"]), Content_Type="text/plain")
        assert (answer.status, body) == (200, b"one two")
        answer, body = ask(c, "POST", "/", b"")
        assert (answer.status, body) == (200, b"") and answer.headers["Content-Length"] == "0"
        answer, body = ask(c, "GET", "/teapot?tea=green")
        assert (answer.status, answer.headers["X-Tea"], json.loads(body)) == (418, "green", {"short": True})
        answer, body = ask(c, "HEAD", "/teapot?tea=green")
        assert (answer.status, body) == (418, b"")
        answer, body = ask(c, "POST", "/boom", b"x")
        assert answer.status == 500
        answer, body = ask(c, "DELETE", "/", b"still here", Content_Type="text/plain")
        assert (answer.status, body) == (200, b"still here")
        assert c.sock is kept, "a connection is kept, whatever was asked"
    assert "got hello" in server.said() and "no good" in server.said()


def pending(pid, number):
    """Whether a signal has been sent and not taken yet."""
    with open(f"/proc/{pid}/status") as f:
        masks = [int(line.split()[1], 16) for line in f if line.startswith(("SigPnd:", "ShdPnd:"))]
    return any(mask >> (number - 1) & 1 for mask in masks)


def check_end(server):
    """SIGTERM: what is being answered is answered, and that is a good end."""
    with server.connect() as idle, server.connect() as busy:
        ask(idle, "GET", "/")
        before = server.said().count("waiting")
        busy.request("GET", "/wait")
        wait_until(lambda: server.said().count("waiting") > before, "the handler to be at it")
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not pending(server.process.pid, signal.SIGTERM), "the signal to be taken")
        with open(os.path.join(server.folder, "go"), "w"):
            pass
        answer = busy.getresponse()
        assert (answer.status, answer.read()) == (200, b"done")
        assert server.process.wait(20) in (0, 143), server.said()


def check_many_at_once(server, n=40):
    """Nobody waits for somebody else: all are inside before the first comes out."""
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(server.connect()) for _ in range(n)]
        for c in waiting:
            c.request("GET", "/wait")
        wait_until(lambda: server.said().count("waiting") == n, "all of them to be waiting")
        with server.connect() as c:
            assert ask(c, "POST", "/", b"hi", Content_Type="text/plain")[1] == b"hi"
        with open(os.path.join(server.folder, "go"), "w"):
            pass
        for c in waiting:
            assert c.getresponse().read() == b"done"
    os.unlink(os.path.join(server.folder, "go"))


def check_on_gateway(cli, lang, name):
    """From new to remove; the function is the template's own, which sends the body back."""
    cli("new", name, "--lang", lang, "-q")
    up = cli("up", "--quiet", timeout=300)
    assert f"/function/{name}\n" in up.out
    cli("ready", name, "--interval", "50ms", "--attempts", "600")
    for body in (b"h\xc3\xa9\n", b"x" * 300000):
        assert cli("invoke", name, "--content-type", "text/plain", stdin=body).raw == body
    described = json.loads(cli("describe", name, "--json").out)
    assert described["Status"] == "Ready" and described["InvocationCount"] == 2
    assert isinstance(cli("logs", name, "--tail=false").out, str)
    cli("remove", name)
    wait_until(lambda: name not in cli("list", "-q").out.splitlines(), "the function to be gone")
