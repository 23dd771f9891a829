"""mode=static: files of a folder, never of another, whole or in part."""
import os
import re
import time

import pytest

from watchdog_helpers import SANITIZED, Watchdog


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "public"
    (root / "docs").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "list <b>").mkdir()
    (root / "docs/index.html").write_text("<h1>docs</h1>")
    (root / "a.txt").write_text("0123456789")
    (root / "a b&c.html").write_text("<p>")
    (root / "list <b>/javascript:x").write_text("")
    (root / "zero").write_text("")
    (root / "noext").write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / ".hidden").write_text("dot")
    (root / "locked").write_text("x")
    os.chmod(root / "locked", 0)
    (tmp_path / "secret").write_text("secret")
    os.symlink("../secret", root / "escape")
    os.symlink("/etc", root / "etc")
    os.symlink("a.txt", root / "link")
    os.mkfifo(root / "fifo")
    return root


def serve(site, **settings):
    return Watchdog(mode="static", static_path=site, **settings)


PAGES = {
    "file": ("/a.txt", 200, b"0123456789", "text/plain; charset=utf-8"),
    "decoded name": ("/a%20b%26c.html", 200, b"<p>", "text/html; charset=utf-8"),
    "query": ("/a.txt?x=1", 200, b"0123456789", None),
    "empty file": ("/zero", 200, b"", None),
    "sniffed": ("/noext", 200, b"\x89PNG\r\n\x1a\n", "image/png"),
    "dot file": ("/.hidden", 200, b"dot", None),
    "index": ("/docs/", 200, b"<h1>docs</h1>", "text/html; charset=utf-8"),
    "symlink inside": ("/link", 200, b"0123456789", None),
    "absent": ("/nope", 404, b"404 page not found\n", "text/plain; charset=utf-8"),
    "symlink outside": ("/escape", 404, b"404 page not found\n", None),
    "through a symlink outside": ("/etc/passwd", 404, b"404 page not found\n", None),
    "dots": ("/../secret", 404, b"404 page not found\n", None),
    "encoded dots": ("/%2e%2e/secret", 404, b"404 page not found\n", None),
    "encoded slashes": ("/..%2f..%2fetc%2fpasswd", 404, b"404 page not found\n", None),
    "a pipe": ("/fifo", 404, b"404 page not found\n", None),
    "NUL": ("/a%00.txt", 400, b"400 the path cannot be decoded\n", None),
    "too long": ("/" + "x" * 5000, 404, b"404 page not found\n", None),
}


@pytest.mark.parametrize("name", PAGES)
def test_page(site, name):
    target, status, body, content_type = PAGES[name]
    with serve(site) as wd:
        r = wd.request(target=target)
        assert (r.status, r.body) == (status, body)
        if content_type:
            assert r.headers["content-type"] == content_type
        assert "x-duration-seconds" not in r.headers


MOVED = {"folder": ("/docs?x=1", "docs/?x=1"), "index by name": ("/docs/index.html", "./"),
         "file as a folder": ("/a.txt/", "../a.txt"), "encoded": ("/list%20%3Cb%3E", "list%20%3Cb%3E/")}


@pytest.mark.parametrize("name", MOVED)
def test_moved(site, name):
    target, where = MOVED[name]
    with serve(site) as wd:
        r = wd.request(target=target)
        assert (r.status, r.headers["location"]) == (301, where)


def test_a_listing_is_safe_and_can_be_turned_off(site):
    with serve(site) as wd:
        page = wd.request(target="/list%20%3Cb%3E/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.body == b'<pre>\n<a href="javascript%3Ax">javascript:x</a>\n</pre>\n'
        root = wd.request(target="/").body.decode()
        assert '<a href="list%20%3Cb%3E/">list &lt;b&gt;/</a>' in root
        assert re.findall(r'href="([a-z]\w+/)"', root) == ["docs/", "empty/"]
    with serve(site, static_max_list=2) as wd:
        assert re.search(r"\.\.\. and \d+ more", wd.request(target="/").body.decode())
    with serve(site, static_listing="false") as wd:
        assert wd.request(target="/empty/").status == 404
        assert wd.request(target="/docs/").status == 200


RANGES = {
    "first": ("bytes=0-0", b"0", "bytes 0-0/10"),
    "middle": ("bytes=3-5", b"345", "bytes 3-5/10"),
    "open": ("bytes=7-", b"789", "bytes 7-9/10"),
    "last": ("bytes=-2", b"89", "bytes 8-9/10"),
    "beyond": ("bytes=8-100", b"89", "bytes 8-9/10"),
}


@pytest.mark.parametrize("name", RANGES)
def test_range(site, name):
    value, body, content_range = RANGES[name]
    with serve(site) as wd:
        r = wd.request(target="/a.txt", headers=[("Range", value)])
        assert (r.status, r.body, r.headers["content-range"]) == (206, body, content_range)


def test_several_ranges_and_none(site):
    with serve(site) as wd, wd.connect() as c:
        r = c.request(target="/a.txt", headers=[("Range", "bytes=0-1,5-6")])
        boundary = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", r.headers["content-type"])[1]
        part = "\r\nContent-Range: bytes %s/10\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n--"
        assert r.status == 206
        assert r.body.decode() == (f"--{boundary}" + part % ("0-1", "01") + boundary
                                   + part % ("5-6", "56") + boundary + "--\r\n")
        r = c.request(target="/a.txt", headers=[("Range", "bytes=10-")])
        assert (r.status, r.headers["content-range"]) == (416, "bytes */10")
        r = c.request(target="/a.txt", headers=[("Range", "bytes=0-,0-,0-")])
        assert (r.status, r.body) == (200, b"0123456789")
        r = c.request("HEAD", target="/a.txt", headers=[("Range", "bytes=0-4")])
        assert (r.status, r.headers["content-length"]) == (206, "5")


def test_conditions(site):
    with serve(site) as wd, wd.connect() as c:
        first = c.request(target="/a.txt")
        etag, modified = first.headers["etag"], first.headers["last-modified"]
        assert first.headers["accept-ranges"] == "bytes"
        for headers, status in [
                ([("If-None-Match", etag)], 304), ([("If-Modified-Since", modified)], 304),
                ([("If-None-Match", '"x"'), ("If-Modified-Since", modified)], 200),
                ([("If-Match", '"x"')], 412),
                ([("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")], 412),
                ([("If-Range", etag), ("Range", "bytes=0-0")], 206),
                ([("If-Range", '"x"'), ("Range", "bytes=0-0")], 200)]:
            r = c.request(target="/a.txt", headers=headers)
            assert r.status == status, headers
            if status == 304:
                assert r.headers["etag"] == etag and r.headers["content-length"] == "10"
        (site / "a.txt").write_text("changed")
        assert c.request(target="/a.txt", headers=[("If-None-Match", etag)]).body == b"changed"


def test_methods(site):
    with serve(site) as wd, wd.connect() as c:
        head = c.request("HEAD", target="/a.txt")
        assert (head.status, head.headers["content-length"], head.body) == (200, "10", b"")
        for method in ("POST", "DELETE", "OPTIONS", "FOO"):
            assert c.request(method, target="/a.txt", body=b"x" * 100000).body == b"0123456789"


def test_what_may_not_be_read_is_forbidden(site):
    os.chown(site, 65534, 65534)

    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    site.parent.parent.chmod(0o755)
    for folder in [site.parent, *list(site.parent.parents)[:3]]:
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    with serve(site, preexec=drop if os.getuid() == 0 else None, suppress_lock="true") as wd:
        r = wd.request(target="/locked")
        assert (r.status, r.body) == (403, b"403 Forbidden\n")


def peak(wd):
    """The most that it has had resident, in KiB."""
    with open(f"/proc/{wd.pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])


def test_a_large_file_takes_no_memory_and_does_not_hold_up_others(site):
    size = 1 << 30
    with open(site / "big", "wb") as f:
        f.truncate(size)
        f.seek(size - 3)
        f.write(b"end")
    with serve(site) as wd, wd.connect() as slow:
        before = peak(wd)
        slow.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        assert slow.head()[0] == 200
        with wd.connect() as c:
            c.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            status, headers = c.head()
            assert (status, headers["content-length"]) == (200, str(size))
            left, tail = size, b""
            while left:
                data = c.exactly(min(left, 1 << 20))
                left -= len(data)
                tail = data[-3:]
            assert tail == b"end"
            assert c.request(target="/a.txt").body == b"0123456789"
        assert peak(wd) < before + (8192 if SANITIZED else 2048)


def test_a_file_that_shrinks_is_visibly_incomplete(site):
    size = 64 << 20
    with open(site / "big", "wb") as f:
        f.truncate(size)
    with serve(site) as wd, wd.connect() as c:
        c.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        c.head()
        os.truncate(site / "big", 1)
        with pytest.raises((EOFError, ConnectionResetError)):
            c.exactly(size)


def test_a_client_that_takes_nothing_is_cut_and_one_that_goes_on_is_not(site):
    with open(site / "big", "wb") as f:
        f.truncate(64 << 20)
    with serve(site, write_timeout="1s", exec_timeout="0") as wd, wd.connect() as lazy, \
            wd.connect() as slow:
        for c in (lazy, slow):
            c.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            c.head()
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            slow.exactly(1 << 19)
            time.sleep(0.05)  # which is what makes it slow
        lazy.sock.settimeout(5)
        with pytest.raises((EOFError, ConnectionResetError)):
            lazy.exactly(64 << 20)


def test_descriptors_stay_flat(site):
    with serve(site) as wd:
        def count():
            return len(os.listdir(f"/proc/{wd.pid}/fd"))
        with wd.connect() as c:
            c.request(target="/a.txt")
            before = count()
            for i in range(300):
                target = ["/a.txt", "/docs/", "/", "/nope", "/escape", "/docs", "/fifo"][i % 7]
                c.request(target=target, headers=[("Range", "bytes=0-1,3-4")] if i % 2 else [])
            wd.wait_for(lambda: count() <= before, "as few descriptors as before")


def test_a_folder_that_is_not_there_is_refused_by_name(tmp_path):
    with Watchdog(wait=False, mode="static", static_path=tmp_path / "nope") as wd:
        assert wd.wait_exit() != 0
        assert "static_path" in wd.log
