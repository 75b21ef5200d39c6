"""Opens playgrounds in headless Chromium, from disk and from a static host, and compares them with the program.

    make test-playground

Every control must work as on the page of `smoe serve`; probabilities must be the program's to 1e-3, and texts the same. Prints
how many tokens a second the preset `tiny` writes. Leaves screenshots in build/playground.
"""
import functools
import http.server
import json
import random
import shutil
import subprocess
import sys
import threading
import urllib.request
from itertools import product
from pathlib import Path

from browser import chromium, chromium_path, expect, visited
from serve import check_writing, set_slider, write

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from served import Served  # noqa: E402

RUNS = {"learned": ["--preset", "tiny_original", "--steps", 120, "--router-steps", 80, "--warmup", 20], "tiny": ["--preset", "tiny", "--steps", 8]}
PROMPTS = ["Once upon a time", "Es war einmal ein Mädchen", "Tom has 3 apples. ", "🦊 \u0000\n\n'", ""]
COMPLETE = """async body => {
    const start = performance.now();
    let text = '';
    for await (const piece of backend.complete(body, new AbortController().signal)) text += piece;
    return {text, seconds: (performance.now() - start) / 1000};
}"""
LEAST_SPEED = 100  # tokens a second of `tiny`


def choices_in(events):
    """The choices of a stream, one after the other."""
    sent = [event.removeprefix("data: ") for event in events.split("\n\n") if event]
    expect(sent[-1] == "[DONE]", f"the stream ends with {sent[-1]}")
    return [choice for event in sent[:-1] for choice in json.loads(event)["choices"]]


def text_of(choices):
    return "".join(choice["text"] for choice in choices)


def make_playgrounds(program, folder):
    """Runs, their exports in bfloat16 and their pages, by name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def run(*words):
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
        expect(done.returncode == 0, f"{words[0]} {words[1]} ended with {done.returncode}: {done.stderr[-2000:]}")

    run(program, "corpus", "-o", folder / "corpus", "--stories", 3000, "--valid-stories", 200)
    for name, settings in RUNS.items():
        run(program, "train", "--run", folder / name, "--data", folder / "corpus/train.jsonl", "--valid", folder / "corpus/valid.jsonl", *settings)
        run(program, "export", folder / name, "--hf", folder / "exports" / name, "--dtype", "bfloat16")
        run("make", "--no-print-directory", "playground", f"RUN={folder / name}", f"OUT={folder / name}.html")
    return {name: folder / f"{name}.html" for name in RUNS}


def asked(address, body):
    request = urllib.request.Request(address + "v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return response.read().decode()


def check_numbers(page, address, name):
    """Log probabilities of the 20 likeliest and of the given tokens, behind prompts of random tokens and under rules for experts."""
    model = json.load(urllib.request.urlopen(address + "v1/models"))["data"][0]
    generator = random.Random(1)
    rules = [{}] if model["experts"] == 0 else [{}, {"expert": 2}, {"expert": "all"}, {"banned_experts": [0, 1]}]
    worst, count = 0, 0
    for rule, length in product(rules, (1, 40, 140)):
        prompt = [generator.randrange(model["tokens"] - 1) for _ in range(length)]
        body = {"model": model["id"], "prompt": prompt, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 20, "stream": True,
                "details": True, "seed": 1, **rule}
        here, there = choices_in(page.evaluate(COMPLETE, body)["text"]), choices_in(asked(address, body))
        expect(len(here) == len(there), f"{name}: {len(here)} pieces, the program sends {len(there)}")
        for one, other in zip(here, there):
            for token, same in zip(one["details"], other["details"]):
                expect(token["id"] == same["id"] and token["expert"] == same["expert"], f"{name}: token {token}, the program's is {same}")
                pairs = [(token["log_probability"], same["log_probability"]), *zip(token.get("router", []), same.get("router", []))]
                worst = max(worst, *(abs(a - b) for a, b in pairs if a is not None))
            if one["logprobs"]:
                for ours, theirs in zip(one["logprobs"]["top_logprobs"], other["logprobs"]["top_logprobs"]):
                    both = ours.keys() & theirs.keys()
                    expect(len(both) >= 19, f"{name}: other tokens are the likeliest")
                    worst = max(worst, *(abs(ours[token] - theirs[token]) for token in both))
                    count += len(both)
    expect(worst < 1e-3, f"{name}: log probabilities differ by {worst}")
    print(f"{name}: {count} log probabilities are the program's to {worst:.1e}")


def check_texts(page, program, export, name):
    """Greedy texts, and those of seeds, are what `smoe generate` writes with the same weights."""
    for prompt, (seed, words, body) in product(PROMPTS, [(1, ["--sampling", "greedy"], {"temperature": 0})] + [
            (seed, ["--temperature", "0.8", "--top-p", "0.95"], {"temperature": 0.8, "top_p": 0.95}) for seed in (1, 2, 3)]):
        command = [program, "generate", export, "--stdin", "--seed", seed, "--max-tokens", 60, "--json", *words]
        wrote = json.loads(subprocess.run(list(map(str, command)), input=prompt + "\n", capture_output=True, text=True, check=True).stdout)
        got = text_of(choices_in(page.evaluate(COMPLETE, {"prompt": prompt, "seed": seed, "max_tokens": 60, "stream": True, **body})["text"]))
        expect(got == wrote["text"], f"{name}: {prompt!r}, seed {seed}: {got!r}, the program writes {wrote['text']!r}")
    print(f"{name}: {4 * len(PROMPTS)} texts are the program's")


def check_speed(page, name):
    body = {"prompt": "Once upon a time", "seed": 1, "max_tokens": 200, "stream": True, "details": True}
    best = 0
    for _ in range(3):
        answer = page.evaluate(COMPLETE, body)
        tokens = sum(len(choice["details"]) for choice in choices_in(answer["text"]))
        best = max(best, tokens / answer["seconds"])
    print(f"{name}: {best:.0f} tokens a second")
    expect(best >= LEAST_SPEED, f"{name}: fewer than {LEAST_SPEED} tokens a second")


def check_page(page, name, screen, shot):
    page.locator("#write").wait_for()
    page.screenshot(path=f"{shot}.png", full_page=True)
    expect(page.locator("h1").inner_text() == "learned", f"{name}: the heading is {page.locator('h1').inner_text()!r}")
    expect(page.get_by_label("Model", exact=True).is_hidden(), f"{name}: there is a choice of one model")
    check_writing(page, name, screen, shot)


def check_static_host(browser, path):
    """Any server of files will do."""
    class Files(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=path.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/{path.name}"
    with visited(browser, address, "static host") as page:
        page.locator("#write").wait_for()
        set_slider(page, "Most new tokens", 20)
        expect("ended by" in write(page), "static host: no text")
    server.shutdown()


def main():
    build = Path(sys.argv[1])
    folder = build / "playground/check"
    chromium_path()
    pages = make_playgrounds(build / "smoe", folder)
    with chromium() as browser:
        for name, path in pages.items():
            with visited(browser, path.resolve().as_uri(), name) as page, Served(build / "smoe", [folder / "exports" / name]) as served:
                page.locator("#write").wait_for()
                check_numbers(page, served.address, name)
                check_texts(page, build / "smoe", folder / "exports" / name, name)
                check_speed(page, name)
        for screen, scheme in product(("desk", "phone"), ("light", "dark")):
            name = f"playground {screen} {scheme}"
            with visited(browser, pages["learned"].resolve().as_uri(), name, screen, scheme) as page:
                check_page(page, name, screen, folder / f"{screen}-{scheme}")
            print(f"{name} in order")
        check_static_host(browser, pages["learned"])
    print(f"pages and screenshots: {folder}")


if __name__ == "__main__":
    main()
