"""Hostile requests for `smoe serve`, built with sanitizers: broken bodies, heads and frames, paths that lead out, callers from
elsewhere, giants, clients that write slowly, ask much at once, hang up or do not read.

    make fuzz-serve REQUESTS=100000
    tests/fuzz/serve.py build/sanitize/smoe FOLDER 2000 --seed 7

Each answer must be whole, of a status that this request may get, and tell nothing of the machine's files. A request that asks
nicely is answered as ever, all the time. In the end the server holds no more files and threads than before, stops when told to,
and the sanitizers have nothing to say. Python alone is needed; the same seed sends the same requests.
"""
import argparse
import asyncio
import collections
import contextlib
import gzip
import json
import random
import subprocess
import sys
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from served import Served  # noqa: E402

AT_ONCE = 40
SETTINGS = ("--preset tiny_original --width 32 --layers 2 --heads 4 --hidden 96 --router-width 16 --router-layers 1 --router-heads 2 "
            "--router-hidden 40 --experts 5 --context 90 --entries 400 --steps 10 --sample-every 0").split()
GOOD = {"model": "run", "prompt": "Once upon", "max_tokens": 5, "seed": 3}
FIELDS = ("model prompt max_tokens temperature top_p top_k min_p n seed stop logprobs echo stream stream_options details expert "
          "banned_experts repetition_penalty best_of suffix user logit_bias presence_penalty max_token __proto__").split() + [""]
VALUES = ["null", "true", "0", "1", "-1", "-0", "1.5", "5", "33", "1e999", "-1e999", "1e-999", "NaN", "9223372036854775807",
          "9223372036854775808", "18446744073709551616", "-9223372036854775809", '""', '"run"', '"all"', r'"\u0000"', r'"\ud800"',
          '"\xff\xfe"', '"<|endoftext|>"', "[]", "[[]]", "{}", "[1]", '["a", "b"]', '[1, "a"]', "[[1], [2, 3]]", "[-1]", "[400]",
          "[0, 1, 2, 3, 4]", '{"include_usage": true}', "[" * 50 + "]" * 50, "[" * 20000, '{"a":' * 9 + "1" + "}" * 9,
          '"' + "a" * 5000 + '"', '"' + "\xf0\x9f\xa6\x8a" * 300 + '"', "[" + "1," * 5000 + "1]", '"' + "\\\\" * 400 + '"']
PATHS = ["/etc/passwd", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/..\\..\\etc\\passwd", "/v1/runs/..",
         "/v1/runs/run/config.json", "/v1/runs/%2e%2e%2frun", "/v1/models/../../run/model.safetensors", "/v1/models/run%00", "/v1/%00",
         "/run/config.json", "/.git/config", "/v1/completions/", "/v1/runs/" + "../" * 900, "/v1/models/" + "%41" * 2500, "/v1//models",
         "/\xff\xfe", "/%", "/%zz", "/?", "/;", "/proc/self/environ", "/v1/runs/run/../../../etc/passwd", "/V1/models", "/v1/chat"]
# What may be answered to a head or a frame that is broken, if anything is.
BROKEN = {0, 200, 304, 400, 403, 404, 405, 408, 411, 413, 414, 415, 416, 417, 429, 431, 501, 505}
BODY = {200, 400, 404, 413, 429}


class Found(Exception):
    pass


def require(holds, what):
    if not holds:
        raise Found(what)


class Enemy:
    """Makes requests. Each is a list of what to send (bytes, or seconds to wait), the statuses that its answers may have, in
    their order, and how it ends: "listen" reads until the server closes, "close" says after a moment that this was all, "leave"
    is gone."""

    def __init__(self, seed, port):
        self.chance, self.port = random.Random(seed), port
        self.host = b"Host: localhost:%d\r\n" % port
        self.kinds = {self.fields: 30, self.bytes: 15, self.chunks: 6, self.frames: 6, self.packed: 4, self.form: 2, self.head: 9,
                      self.giants: 5, self.stranger: 8, self.path: 8, self.crowd: 4, self.slow: 0.4, self.leaver: 3}

    def request(self):
        kind = self.chance.choices(list(self.kinds), self.kinds.values())[0]
        return kind.__name__, *kind()

    def post(self, body, headers=b"Connection: close\r\n", length=None):
        return b"POST /v1/completions HTTP/1.1\r\n%sContent-Length: %s\r\n%s\r\n%s" % (
            self.host, b"%d" % len(body) if length is None else length, headers, body)

    def mutated(self, data):
        chance, data = self.chance, bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            at = chance.randrange(len(data) + 1)
            change = chance.randrange(5)
            if change == 0:
                data[at:at + 1] = bytes([chance.randrange(256)])
            elif change == 1:
                del data[at:at + chance.randrange(1, 9)]
            elif change == 2:
                data[at:at] = chance.randbytes(chance.randrange(1, 9))
            elif change == 3:
                data[at:at] = data[chance.randrange(len(data) + 1):][:chance.randrange(1, 30)]
            else:
                data[at:at] = chance.choice((b"\r\n", b"\n", b"\0", b"\r\n\r\n", b": ", b"{", b"]", b'"', b"\\u", b"e9", b"-"))
        return bytes(data)

    def good_body(self):
        return json.dumps({**GOOD, "stream": self.chance.random() < 0.3, "seed": self.chance.randrange(1000)}).encode()

    def fields(self):
        """Valid JSON, mostly, of which each field may be anything."""
        pairs = [(name, json.dumps(value)) for name, value in GOOD.items()]
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            pair = (self.chance.choice(FIELDS), self.chance.choice(VALUES))
            names = [name for name, _ in pairs]
            if pair[0] in names and self.chance.random() < 0.9:
                pairs[names.index(pair[0])] = pair
            else:
                pairs.append(pair)
        self.chance.shuffle(pairs)
        body = "{" + ", ".join(f'"{name}": {value}' for name, value in pairs) + "}"
        return [self.post(body.encode("latin-1"))], [BODY], "listen"

    def bytes(self):
        return [self.post(self.mutated(self.good_body()))], [BODY], "listen"

    def chunks(self):
        """A body in chunks, or nearly."""
        body, framed = self.good_body(), b""
        while body:
            size = self.chance.randrange(1, 40)
            framed, body = framed + b"%x\r\n%s\r\n" % (len(body[:size]), body[:size]), body[size:]
        framed += b"0\r\n\r\n"
        head = b"POST /v1/completions HTTP/1.1\r\n" + self.host + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        if self.chance.random() < 0.3:
            return [head + framed], [{200}], "listen"
        if self.chance.random() < 0.3:
            framed = self.chance.choice((b"-1", b"ffffffffffffffff", b"7fffffffffffffff", b"1" * 40, b"5;a=b", b"0x5")) + b"\r\n" + framed
        return [head + self.mutated(framed)], None, "close"

    def frames(self):
        """Lengths that are wrong, or said twice."""
        body = self.good_body()
        length = self.chance.choice((b"-1", b"0", b"99999999999999999999", b"1e3", b"0x10", b"", b"5, 5", b"%d" % (len(body) + 9),
                                     b"%d" % (len(body) // 2), b"17000000", b"+5"))
        more = self.chance.choice((b"", b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: identity\r\n",
                                   b"Expect: 100-continue\r\n", b"Connection: close\r\n"))
        return [self.post(body, more, length)], None, "close"

    def packed(self):
        """Compressed, not quite, or into a giant."""
        body, name = self.chance.choice(((gzip.compress(self.good_body()), b"gzip"), (zlib.compress(self.good_body()), b"deflate"),
                                         (self.good_body(), b"gzip"), (self.good_body(), b"br"), (self.good_body(), b"nothing"),
                                         (gzip.compress(bytes(3_000_000)), b"gzip")))
        body = self.mutated(body) if self.chance.random() < 0.3 else body
        return [self.post(body, b"Connection: close\r\nContent-Encoding: " + name + b"\r\n")], [BODY | {0, 415}], "listen"

    def form(self):
        mark = b"x" * self.chance.choice((1, 20, 300))
        body = b"--%s\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../../x\"\r\n\r\n%s\r\n--%s--\r\n" % (mark, self.good_body(), mark)
        head = b"Connection: close\r\nContent-Type: multipart/form-data; boundary=" + mark + b"\r\n"
        return [self.post(self.mutated(body), head)], [{0, 400, 413}], "listen"

    def head(self):
        good = self.chance.choice((b"GET / HTTP/1.1\r\n" + self.host + b"\r\n", b"GET /v1/models HTTP/1.1\r\n" + self.host + b"\r\n",
                                   b"GET /v1/runs/run HTTP/1.0\r\n" + self.host + b"\r\n", self.post(self.good_body())))
        data = self.chance.randbytes(self.chance.randrange(1, 300)) if self.chance.random() < 0.2 else self.mutated(good)
        return [data], None, "close"

    def giants(self):
        get = b"GET /v1/models HTTP/1.1\r\n" + self.host
        size = self.chance.choice((3000, 9000, 40000, 200000))
        data = self.chance.choice((
            get + b"X: " + b"a" * size, get + b"a: b\r\n" * (size // 6) + b"\r\n", b"GET /" + b"a" * size, b"G" * size,
            get + b"Range: bytes=" + b"0-1," * (size // 4) + b"\r\n\r\n", get + b"b" * size + b": c\r\n\r\n", get + b" " * size,
            get + b"Cookie: " + b"a=b; " * (size // 5) + b"\r\n\r\n", self.post(b" " * 8 * size), self.post(b"[" * size)))
        return [data], None, "close"

    def stranger(self):
        headers = self.chance.choice((
            b"", b"Host: evil.example\r\n", b"Host: 127.0.0.1\r\n", b"Host: localhost:1\r\n", self.host + b"Host: evil.example\r\n",
            b"Host: localhost:%d.evil.example\r\n" % self.port, b"Host: evil.example:%d\r\n" % self.port, b"Host: \r\n",
            self.host + b"Origin: http://evil.example\r\n", self.host + b"Origin: null\r\n", self.host + b"Origin: https://localhost\r\n",
            self.host + b"Sec-Fetch-Site: cross-site\r\n", self.host + b"Sec-Fetch-Site: same-site\r\n"))
        line = self.chance.choice((b"GET /v1/models", b"GET /v1/runs/run", b"POST /v1/completions", b"DELETE /v1/models", b"OPTIONS /v1/models"))
        body = self.good_body() if line.startswith(b"POST") else b""
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        return [line + b" HTTP/1.1\r\n" + headers + b"Connection: close\r\n" + length + b"\r\n" + body], [{403}], "listen"

    def path(self):
        path = self.chance.choice(PATHS).encode("latin-1")
        path = self.mutated(path).translate(None, b"\r\n \0") if self.chance.random() < 0.3 else path
        method = self.chance.choice((b"GET", b"GET", b"GET", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"CONNECT", b"FOO"))
        return [method + b" " + path + b" HTTP/1.1\r\n" + self.host + b"Connection: close\r\n\r\n"], None, "listen"

    def crowd(self):
        """Many at once on one connection: answered one after the other, in order."""
        parts, statuses = [], []
        for _ in range(self.chance.randrange(2, 12)):
            part, status = self.chance.choice((
                (b"GET /v1/models HTTP/1.1\r\n" + self.host + b"\r\n", 200), (b"GET /nothing HTTP/1.1\r\n" + self.host + b"\r\n", 404),
                (self.post(json.dumps(GOOD).encode(), b""), 200), (self.post(b"{", b""), 400),
                (b"GET /v1/completions HTTP/1.1\r\n" + self.host + b"\r\n", 405)))
            parts.append(part)
            statuses.append({status, 429} if status == 200 else {status})
        last = b"GET /v1/models/run HTTP/1.1\r\n" + self.host + b"Connection: close\r\n\r\n"
        return [b"".join(parts) + last], [*statuses, {200}], "listen"

    def slow(self):
        """Piece by piece; now and then for longer than the server waits."""
        data = self.post(self.good_body())
        pause = self.chance.choice((0.01, 0.03, 0.1, 1.0))
        cuts = sorted(self.chance.sample(range(1, len(data)), 15))
        parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
        return [one for part in parts for one in (part, pause)], [BODY] if pause < 0.5 else None, "listen"

    def leaver(self):
        body = json.dumps({**GOOD, "max_tokens": 80, "stream": self.chance.random() < 0.5}).encode()
        data = self.post(body)
        data = data[:self.chance.randrange(len(data))] if self.chance.random() < 0.5 else data
        return [data, self.chance.choice((0, 0, 0.01, 0.2))], None, "leave"


def answers_in(data, in_order=True):
    """Status, head and body of each whole answer. The last may be cut where the connection did not end in order."""
    answers = []
    while data:
        head, blank, data = data.partition(b"\r\n\r\n")
        require(head.startswith(b"HTTP/1.1 ") and (blank or not in_order), f"an answer begins with {head[:200]}")
        status, low, body, whole = int(head[9:12]), head.lower(), b"", bool(blank)
        if status == 100:
            continue
        if b"transfer-encoding: chunked" in low:
            size = None
            while size != 0 and b"\r\n" in data:
                line, _, data = data.partition(b"\r\n")
                size = int(line, 16)
                body, data = body + data[:size], data[size + 2:]
            whole = size == 0
        elif b"content-length: " in low and status != 304:
            size = int(low.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body, data = data[:size], data[size:]
            whole = len(body) == size
        require(whole or not in_order, f"an answer is cut: {head}")
        if whole:
            answers.append((status, head, body))
    return answers


def check_answer(name, status, head, body, folder):
    for secret in (b"root:", b"PATH=", folder):
        require(secret not in body, f"{name}: an answer tells {body[:500]}")
    if status >= 400:
        error = json.loads(body)["error"]
        require({"message", "type", "param", "code"} <= set(error), f"{name}: the error is {error}")
    elif b"application/json" in head and status == 200:
        json.loads(body)


async def received(reader):
    """All that comes until the connection ends, and whether it ended in order."""
    data = b""
    try:
        while part := await reader.read(1 << 16):
            data += part
        return data, True
    except OSError:  # the server does not wait for what it refuses
        return data, False


async def send(port, folder, name, parts, allowed, end):
    """The statuses that came; 0 if there is no whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.ensure_future(received(reader))
    with contextlib.suppress(OSError):
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
        if end == "close":
            await asyncio.wait({answer}, timeout=0.2)  # the server does not answer those who have closed their end
            writer.write_eof()
    if end == "leave":
        writer.transport.abort()  # with a reset, not a farewell
    data, in_order = await asyncio.wait_for(answer, 60)
    writer.close()
    if end == "leave":
        return []
    statuses = []
    for status, head, body in answers_in(data, in_order):
        check_answer(name, status, head, body, folder)
        statuses.append(status)
    statuses = statuses or [0]
    fits = len(statuses) == len(allowed) and all(one in may for one, may in zip(statuses, allowed)) if allowed else set(statuses) <= BROKEN
    require(fits, f"{name}: {statuses} for {parts[0][:1500]}, in order: {in_order}")
    return statuses


def held(process):
    """Files and threads."""
    return [len(list(Path(f"/proc/{process.pid}/{what}").iterdir())) for what in ("fd", "task")]


async def attack(served, folder, requests, seed):
    port = int(served.address.rstrip("/").rpartition(":")[2])
    enemy = Enemy(seed, port)
    good, counts, sent = enemy.post(json.dumps(GOOD).encode()), collections.Counter(), 0
    problems = []

    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(good)
        (status, _, body), = answers_in(await asyncio.wait_for(reader.read(-1), 30))
        writer.close()
        require(status == 200, f"a good request gets {status}: {body}")
        return json.loads(body)["choices"]

    first, begun = await ask(), time.monotonic()
    before = held(served.process)

    async def one():
        nonlocal sent
        sent += 1
        number = sent
        name, *request = enemy.request()
        for status in await send(port, folder, name, *request):
            counts[name, status] += 1
        if number % 500 == 0:
            require(await ask() == first, "a good request gets something else than at first")
        if number % 10000 == 0:
            print(f"{number} requests, {time.monotonic() - begun:.0f} s", flush=True)

    async def go_on():
        while sent < requests and not problems:
            try:
                await one()
            except (Found, OSError, TimeoutError) as problem:
                problems.append(problem)

    await asyncio.gather(*(go_on() for _ in range(AT_ONCE)))
    require(not problems, problems)
    for _ in range(100):  # those that were left in the middle are noticed within a moment
        if held(served.process) <= before:
            break
        await asyncio.sleep(0.2)
    require(held(served.process) <= before, f"files and threads: {before} before, {held(served.process)} after")
    require(await ask() == first, "a good request gets something else than at first")
    for name in dict.fromkeys(name for name, _ in counts):
        print(f"{name:<9}", ", ".join(f"{count} x {status or 'no answer'}" for (one, status), count in sorted(counts.items()) if one == name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("folder", type=Path, help="for a small run, which is made if it is not there")
    parser.add_argument("requests", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    run = arguments.folder / "run"
    if not (run / "model.safetensors").exists():
        subprocess.run([arguments.program, "corpus", "-o", arguments.folder / "corpus", "--stories", "300", "--valid-stories", "30"],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run([arguments.program, "train", "--run", run, "--data", arguments.folder / "corpus/train.jsonl", *SETTINGS], check=True,
                       stdout=subprocess.DEVNULL)
    problem = ""
    with Served(arguments.program, [run]) as served:
        try:
            asyncio.run(attack(served, str(arguments.folder.resolve()).encode(), arguments.requests, arguments.seed))
        except (Found, OSError, TimeoutError) as found:
            problem = repr(found) + ", "
    if problem or served.process.returncode != 0:
        sys.exit(f"serve.py: {problem}the server ended with {served.process.returncode}")
    print(f"{arguments.requests} hostile requests, nothing found.")


if __name__ == "__main__":
    main()
