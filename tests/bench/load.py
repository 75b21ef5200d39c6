"""Many clients at once for `smoe serve`, beside `smoe generate` on the same machine, taking turns with it.

    make load                                                      ten minutes of clients, and a few of measuring
    tests/bench/load.py build/smoe build/load --minutes 1          the same, shorter

Three speeds, with a model of the preset `small`: the tokens a second of 64 clients against 64 samples of one `generate`, those
of one client against one sample, and how many passes of 16 other texts a newcomer waits for its first token. Then 64 clients
come, write and go, half of them in the middle of their texts. Every text, and every part of one, must be what the same request
gets alone, and the server's memory must not grow. Needs Linux and Python alone. The clients share the machine with the server,
so they read what comes, and take it apart later.
"""
import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from served import Served  # noqa: E402

CLIENTS, OTHERS = 64, 16
PROMPT = "Once upon a time"
TOKENS = 250  # of a text whose speed is measured
TURNS = 4  # of each side in a pair, whose best counts: what else the machine does only takes time
LEAST_TOTAL, LEAST_ALONE, MOST_PASSES = 0.9, 0.95, 3
MOST_GROWTH = 4 * 1024  # KiB, second half of the time against the first


def require(holds, what):
    if not holds:
        sys.exit(f"load.py: {what}")


class Stream:
    """One request for a text, on a connection of its own."""

    def __init__(self, port, **body):
        self.port, self.body, self.received, self.first = port, {"model": "run", "stream": True, **body}, b"", None

    async def read(self, most_bytes=None):
        """All of it, or the beginning, after which the client is gone."""
        self.begun = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = json.dumps({**self.body, "stream_options": {"include_usage": True}}).encode()
        writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                     % (self.port, len(body), body))
        while part := await reader.read(1 << 16):
            self.received += part
            if self.first is None and b"data: " in self.received:
                self.first = time.perf_counter() - self.begun
            if most_bytes is not None and len(self.received) >= most_bytes:
                break
        writer.close()
        self.seconds = time.perf_counter() - self.begun
        return self

    def events(self):
        """Those that have come whole, [DONE] included."""
        head, _, rest = self.received.partition(b"\r\n\r\n")
        require(head.startswith(b"HTTP/1.1 200 "), f"a client gets {self.received[:500]}")
        body = b""
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            body, rest = body + rest[:int(size, 16)], rest[int(size, 16) + 2:]
        return [event.removeprefix(b"data: ") for event in body.split(b"\n\n")[:-1]]

    def text(self):
        return "".join(choice["text"] for event in self.events() if event != b"[DONE]" for choice in json.loads(event)["choices"])

    def tokens(self):
        events = self.events()
        require(events[-1:] == [b"[DONE]"], "a stream has no end")
        return json.loads(events[-2])["usage"]["completion_tokens"]


def make_run(program, folder):
    """A run called `run`, which has learned next to nothing: that makes no difference to speed."""
    run = folder / "run"
    if not (run / "model.safetensors").exists():
        subprocess.run([program, "corpus", "-o", folder / "corpus", "--stories", "3000", "--valid-stories", "200"], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([program, "train", "--run", run, "--data", folder / "corpus/train.jsonl", "--preset", "small", "--steps", "2",
                        "--sample-every", "0"], check=True, stdout=subprocess.DEVNULL)
    return run


def generated(program, run, samples):
    """Tokens and seconds of `smoe generate` without the time in which it loads the model."""
    words = [program, "generate", run, "--prompt", PROMPT, "--samples", samples, "--sampling", "multinomial", "--seed", 1]

    def seconds(tokens, *more):
        start = time.perf_counter()
        done = subprocess.run([*map(str, words), "--max-tokens", str(tokens), *more], capture_output=True, check=True)
        return time.perf_counter() - start, done.stdout

    written = sum(len(json.loads(line)["tokens"]) for line in seconds(TOKENS, "--json")[1].splitlines())
    turns = range(TURNS)
    return written, min(seconds(TOKENS)[0] for _ in turns) - min(seconds(1)[0] for _ in turns)


async def measured_speed(program, run, port, clients, pairs):
    """Prints and returns the median ratio of the server's tokens a second to those of `generate`."""
    rates = []
    for _ in range(pairs):
        tokens, seconds = generated(program, run, clients)
        best = 0
        for _ in range(TURNS):
            streams = [Stream(port, prompt=PROMPT, max_tokens=TOKENS, seed=seed + 1) for seed in range(clients)]
            start = time.perf_counter()
            await asyncio.gather(*(one.read() for one in streams))
            best = max(best, sum(one.tokens() for one in streams) / (time.perf_counter() - start))
        rates.append((best, tokens / seconds))
    ratio = statistics.median(here / there for here, there in rates)
    here, there = (", ".join(f"{rate:.0f}" for rate in side) for side in zip(*rates))
    print(f"{clients} clients: {here} tokens/s; generate: {there}; ratio {ratio:.2f} (median)", flush=True)
    return ratio


async def measured_wait(port):
    """Prints and returns how many passes of the others it takes from a newcomer's request to its first token (median)."""
    written, over = 0, False

    async def go_on(seed):
        nonlocal written
        while not over:
            one = await Stream(port, prompt=PROMPT, max_tokens=TOKENS, seed=seed).read()
            written += one.tokens()

    others = [asyncio.ensure_future(go_on(seed)) for seed in range(OTHERS)]
    await asyncio.sleep(1)
    start, waits = time.perf_counter(), []
    for seed in range(40):
        await asyncio.sleep(0.1)
        waits.append((await Stream(port, prompt=PROMPT, max_tokens=1, seed=seed).read()).first)
    over = True
    await asyncio.gather(*others)
    # A pass takes each of the others one token further; newcomers are few.
    pass_seconds = (time.perf_counter() - start) * OTHERS / written
    passes = sorted(wait / pass_seconds for wait in waits)
    print(f"first token beside {OTHERS} others: {1000 * statistics.median(waits):.1f} ms, {statistics.median(passes):.1f} passes of "
          f"{1000 * pass_seconds:.1f} ms (median of {len(waits)}; nine of ten within {passes[len(passes) * 9 // 10]:.1f})", flush=True)
    return statistics.median(passes)


def resident(process):
    """KiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


async def crowd(served, port, minutes):
    """Clients that come and go. Prints what they got, and how the server's memory went."""
    chance = random.Random(1)
    bodies = [{"prompt": PROMPT[:chance.randrange(17)] * chance.randrange(1, 5), "max_tokens": chance.randrange(1, TOKENS),
               "seed": seed} for seed in range(48)]
    alone = [(await Stream(port, **body).read()).text() for body in bodies]
    end, whole, left, tokens, memory = time.monotonic() + 60 * minutes, 0, 0, 0, []

    async def come_and_go(number):
        nonlocal whole, left, tokens
        leaves = number % 2 == 1
        while time.monotonic() < end:
            which = chance.randrange(len(bodies))
            one = Stream(port, **bodies[which])
            # A head has about 300 bytes, an event of a token about as many.
            await one.read(chance.randrange(60 * TOKENS) if leaves else None)
            ended = one.received.endswith(b"0\r\n\r\n")
            require(ended or leaves, f"a stream breaks off after {one.received[-500:]}")
            if ended:
                require(one.text() == alone[which], f"{bodies[which]} gets {one.text()!r}, alone {alone[which]!r}")
                whole, tokens = whole + 1, tokens + one.tokens()
            elif b"\r\n\r\n" in one.received:
                require(alone[which].startswith(one.text()), f"{bodies[which]} begins with {one.text()!r}, alone {alone[which]!r}")
                left += 1

    async def note_memory():
        while time.monotonic() < end:
            await asyncio.sleep(min(10, 6 * minutes))
            memory.append(resident(served.process))

    await asyncio.gather(note_memory(), *(come_and_go(number) for number in range(CLIENTS)))
    half = len(memory) // 2
    print(f"{CLIENTS} clients for {minutes:g} minutes: {whole} whole texts, {left} left in the middle, none wrong; "
          f"{tokens / minutes / 60:.0f} tokens/s in whole texts; resident MiB {memory[0] / 1024:.1f} at first, at most "
          f"{max(memory[:half]) / 1024:.1f} in the first half and {max(memory[half:]) / 1024:.1f} in the second, "
          f"{memory[-1] / 1024:.1f} at the end", flush=True)
    require(max(memory[half:]) - max(memory[:half]) < MOST_GROWTH, "memory grows")


async def measure(arguments, run):
    with Served(arguments.program, [run], "--places", str(CLIENTS)) as served:
        port = int(served.address.rstrip("/").rpartition(":")[2])
        total = await measured_speed(arguments.program, run, port, CLIENTS, arguments.pairs)
        alone = await measured_speed(arguments.program, run, port, 1, arguments.pairs)
        passes = await measured_wait(port)
        if arguments.minutes > 0:
            await crowd(served, port, arguments.minutes)
    slow = [f"{name} {found:.2f}, expected {limit}" for name, found, limit, is_slow in (
        ("64 clients against generate", total, LEAST_TOTAL, total < LEAST_TOTAL),
        ("one client against generate", alone, LEAST_ALONE, alone < LEAST_ALONE),
        ("passes until the first token", passes, MOST_PASSES, passes > MOST_PASSES)) if is_slow]
    require(not slow, "; ".join(slow))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("folder", type=Path, help="for a run of the preset small, which is made if it is not there")
    parser.add_argument("--minutes", type=float, default=10, help="of clients that come and go; 0: measure the speeds alone")
    parser.add_argument("--pairs", type=int, default=5, help="times that server and generate take turns")
    arguments = parser.parse_args()
    asyncio.run(measure(arguments, make_run(arguments.program, arguments.folder)))


if __name__ == "__main__":
    main()
