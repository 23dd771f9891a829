# Run at every build, with all files called *_test.py; the build argument TEST_ENABLED=false turns that off.
import unittest

from .handler import handle


class HandlerTest(unittest.TestCase):
    def test_there_is_a_handler(self):
        self.assertTrue(callable(handle))

    # What your function promises, for example (with "from types import SimpleNamespace" above):
    #
    # def test_the_body_comes_back(self):
    #     event = SimpleNamespace(body=b"hello", headers={}, method="POST", query={}, path="/")
    #     answer = handle(event, SimpleNamespace(hostname="here"))
    #     self.assertEqual(answer["body"], b"hello")
