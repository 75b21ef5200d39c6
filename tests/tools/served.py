"""A server of the program for checks in Python: `with Served(program, runs, "--key", key) as served: ... served.address`."""
import re
import subprocess


class Served:
    def __init__(self, program, runs, *words):
        self.process = subprocess.Popen([program, "serve", *runs, "--port", "0", *words], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.match(r"listening at (http://\S+/)", line):
                self.address = found[1]
                return
        raise RuntimeError("smoe serve ended before it listened")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()
