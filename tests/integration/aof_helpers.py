"""Redis's append-only file: what it was told to do, one command after the other."""
import glob
import io
import os

from redis_helpers import read


class Block:
    """A command, or those of a transaction, and where in the file each ends."""

    def __init__(self, begin):
        self.begin, self.commands, self.ends = begin, [], []

    @property
    def is_transaction(self):
        return self.commands[0] == ["MULTI"]

    def within(self, n):
        """A place in the middle of the command behind the first n."""
        begin = self.ends[n - 1] if n else self.begin
        return begin + (self.ends[n] - begin) // 2


class AppendOnlyFile:
    """The one that the server writes to; it is never written anew while a test runs."""

    def __init__(self, redis):
        self.path, = glob.glob(os.path.join(redis.dir, "appendonlydir/*.incr.aof"))

    @property
    def size(self):
        return os.stat(self.path).st_size

    def read(self):
        with open(self.path, "rb") as f:
            return f.read()

    def write(self, data):
        with open(self.path, "wb") as f:
            f.write(data)


def blocks(data, begin):
    """What stands behind begin, where a command ends."""
    f = io.BytesIO(data)
    f.seek(begin)
    found, within = [], False
    while f.tell() < len(data):
        if not within:
            found.append(Block(f.tell()))
        command = read(f)
        found[-1].commands.append(command)
        found[-1].ends.append(f.tell())
        within = (within or command == ["MULTI"]) and command != ["EXEC"]
    assert not within, found[-1].commands
    return found
