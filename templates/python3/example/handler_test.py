# Run at every build, with all files called *_test.py; the build argument TEST_ENABLED=false turns that off.
import unittest

from .handler import handle


class HandlerTest(unittest.TestCase):
    def test_there_is_a_handler(self):
        self.assertTrue(callable(handle))

    # What your function promises, for example:
    #
    # def test_the_body_comes_back(self):
    #     self.assertEqual(handle("hello"), "hello")
