"""Templates whose languages are too large for every test run, with Debian's own versions of them."""

import pytest

from template_helpers import ask, build, check_end, check_many_at_once, check_on_gateway, check_requests


@pytest.mark.parametrize("lang", ["go", "ruby", "java", "rust"])
def test_a_server_answers_whatever_it_is_asked_and_ends_well(cli, lang):
    with build(cli, lang) as server:
        check_requests(server)
        check_many_at_once(server)
        check_end(server)


@pytest.mark.parametrize("lang", ["go", "java", "php", "ruby", "rust"])
def test_a_function_from_new_to_remove(cli, lang):
    check_on_gateway(cli, lang, f"t-{lang}")


FAILING_TESTS = {
    "go": ("handler_test.go", "package function\n\nimport \"testing\"\n\n"
           "func TestIt(t *testing.T) { t.Error(\"not good\") }\n"),
    "ruby": ("handler_test.rb", "raise 'not good'\n"),
    "php": ("tests/HandlerTest.php", "<?php\nfwrite(STDERR, 'not good');\nexit(1);\n"),
    "java": ("src/test/java/com/openfaas/function/HandlerTest.java", "package com.openfaas.function;\n"
             "class HandlerTest { public static void main(String[] a) { assert false : \"not good\"; } }\n"),
    "rust": ("src/lib.rs", "pub fn handle(r: faas::Request) -> Vec<u8> { r.body }\n"
             "#[test]\nfn it() { panic!(\"not good\") }\n"),
}


@pytest.mark.parametrize("lang", sorted(FAILING_TESTS))
def test_tests_of_a_function_are_run_at_every_build(cli, lang):
    path, text = FAILING_TESTS[lang]
    cli("new", "f", "--lang", lang, "-q")
    cli("build", timeout=300)  # the example passes
    cli.write(f"f/{path}", text)
    assert "not good" in cli("build", rc=1, timeout=300).err
    cli("build", "--build-arg", "TEST_ENABLED=false", timeout=300)


def test_go_takes_the_classic_signature(cli):
    files = {"handler.go": "package function\n\nfunc Handle(req []byte) string {\n"
             "\treturn \"got \" + string(req)\n}\n"}
    with build(cli, "go", files) as server, server.connect() as c:
        answer, body = ask(c, "POST", "/", b"it")
        assert (answer.status, body, answer.headers["Content-Length"]) == (200, b"got it", "6")


def test_ruby_takes_the_older_signatures(cli):
    files = {"handler.rb": "class Handler\n  def run(body)\n    raise 'frozen' if body.frozen?\n"
             "    body.upcase\n  end\nend\n"}
    with build(cli, "ruby", files) as server, server.connect() as c:
        assert ask(c, "POST", "/", "h\u00e9".encode())[1] == "H\u00c9".encode()
    files = {"handler.rb": "class Handler\n  def run(body, headers)\n"
             "    return 'split', { 'X-A' => \"b\\r\\nc: d\" } if body.read == 'split'\n"
             "    [headers['x-b'], nil, 201]\n  end\nend\n"}
    with build(cli, "ruby", files) as server, server.connect() as c:
        answer, body = ask(c, "POST", "/", b"", X_B="c")
        assert (answer.status, body) == (201, b"c")
        assert ask(c, "POST", "/", b"split")[0].status == 500


def test_php_says_what_went_wrong(cli):
    cli.write("stack.yaml", "provider: {name: openfaas}\nfunctions:\n  t-boom: {lang: php, handler: ./f, image: b}\n")
    cli.write("f/src/Handler.php", "<?php\nnamespace App;\nclass Handler {\n  public function handle(string $data) {\n"
              "    echo 'never sent';\n    if ($data === 'boom') throw new \\Exception('no good');\n"
              "    return Helper::double($data);\n  }\n}\n")
    cli.write("f/src/Helper.php", "<?php\nnamespace App;\nclass Helper {\n"
              "  static function double($x) { return ['twice' => $x . $x]; }\n}\n")
    cli("up", "--quiet")
    cli("ready", "t-boom", "--interval", "50ms", "--attempts", "200")
    assert cli("invoke", "t-boom", stdin="ab").out.endswith('{"twice":"abab"}')
    assert "status code: 500" in cli("invoke", "t-boom", stdin="boom", rc=None).err
    assert "no good" in cli("logs", "t-boom", "--tail=false").out
    cli("remove", "t-boom")
