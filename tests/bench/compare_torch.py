"""This project against the same model in PyTorch, on the same text, in one run, taking turns.

    make bench-torch                                      installs PyTorch into build/venv and runs this
    build/venv/bin/python tests/bench/compare_torch.py --data stories.txt

Both sides are child processes that sleep until they are told to take one step, so each has the machine for itself.
A step is, on both: the frozen router's forward pass in evaluation mode, the labels that it likes best, the model's
forward pass with dropout, mean cross-entropy, backward, schedule-free AdamW. Before anything is timed, both must
compute the same losses from the same weights and batch. The other half of the protocol is in serve.cpp.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time


# The child with PyTorch.

def load_batches(tensors):
    """The exported batches, all padded to the same length: (tokens, targets, labels), (B, T) each."""
    batches = []
    while f"batch.{len(batches)}.inputs" in tensors:
        prefix = f"batch.{len(batches)}."
        stories = len(tensors[prefix + "offsets"]) - 1
        batches.append([tensors[prefix + name].long().view(stories, -1)
                        for name in ("inputs", "targets", "labels")])
    return batches


def build_networks(config, state):
    """Model and router with the exported weights."""
    from smoe_torch import Decoder

    def build(sizes, outputs, prefix):
        network = Decoder(config["model"]["vocab_size"], outputs, config["model"]["context"], sizes["width"],
                          sizes["layers"], sizes["heads"], sizes["hidden"], config["experts"]["count"],
                          config["experts"]["mask_rate"], sizes["dropout"])
        network.load_state_dict({name[len(prefix):]: t for name, t in state.items() if name.startswith(prefix)})
        return network

    model = build(config["model"], config["model"]["vocab_size"], "model.")
    router = build(config["router"], config["experts"]["count"], "router.")
    return model, router.eval().requires_grad_(False)


def check_agreement(model, router, batch, expected):
    """Exits unless labels and losses of a batch are those that the C++ side exported."""
    import torch
    import torch.nn.functional as F
    tokens, targets, labels = batch
    with torch.no_grad():
        same = (router(tokens).argmax(-1) == labels).float().mean().item()
        logits = model.eval()(tokens, labels)
        losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    model.train()
    difference = ((losses - expected).abs() / expected.abs().clamp(min=1)).max().item()
    if difference > 1e-4 or same < 0.999:
        sys.exit(f"the two sides disagree: losses differ by {difference:.1e}, {100 * same:.2f} % of the labels agree")
    return difference


def torch_worker(arguments):
    """Answers each line "step" by its seconds and tokens."""
    import torch
    import torch.nn.functional as F
    from safetensors import safe_open
    from smoe_torch import ScheduleFreeAdamW
    torch.set_num_threads(arguments.threads)
    with safe_open(arguments.export, "pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    model, router = build_networks(config, tensors)
    batches = load_batches(tensors)
    difference = check_agreement(model, router, batches[0], tensors["losses"]) if arguments.check else 0.0
    del tensors
    training = config["training"]
    optimizer = ScheduleFreeAdamW(model.parameters(), *(training[key] for key in (
        "lr", "beta1", "beta2", "eps", "weight_decay", "warmup")))
    if arguments.variant == "compile":
        model, router = torch.compile(model), torch.compile(router)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=arguments.variant == "bfloat16")

    def step(tokens, targets):
        with autocast:
            with torch.no_grad():
                labels = router(tokens).argmax(-1)
            logits = model(tokens, labels)
        F.cross_entropy(logits.float().flatten(0, 1), targets.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    print("ready", difference, flush=True)
    for number, _ in enumerate(sys.stdin):
        tokens, targets, _ = batches[number]
        start = time.perf_counter()
        step(tokens, targets)
        print(time.perf_counter() - start, tokens.numel(), flush=True)


def tokenizer_worker(arguments):
    """Answers each line "encode" by the seconds and tokens of the stories, by Hugging Face's tokenizers."""
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(arguments.export)
    stories = read_stories(arguments.data)
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        encoded = tokenizer.encode_batch_fast(stories, add_special_tokens=False)
        seconds = time.perf_counter() - start
        print(seconds, sum(len(story.ids) for story in encoded), flush=True)


# The parent.

def read_stories(path):
    with open(path, encoding="utf-8", newline="") as file:
        if path.endswith(".jsonl"):
            return [json.loads(line)["text"] for line in file]
        stories = file.read().split("<|endoftext|>")
    stories = [story.removeprefix("\n").removesuffix("\n") for story in stories]
    return [story for story in stories if story.strip()]


class Child:
    """A process that answers lines."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})
        self.greeting = self.read()

    def read(self):
        answer = self.process.stdout.readline().split()
        if not answer:
            self.process.kill()
            raise RuntimeError(f"child ended with status {self.process.wait()}: {' '.join(self.process.args)}")
        return answer

    def ask(self, word):
        time.sleep(0.05)  # until the other side's threads sleep
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        seconds, tokens = self.read()
        return float(seconds), int(tokens)

    def peak_bytes(self):
        """Largest resident set so far."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Comparison:
    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = os.path.join(arguments.build, "bench-torch")
        self.compiled = os.path.join(self.folder, "compiled")
        shutil.rmtree(self.compiled, ignore_errors=True)  # an earlier run may have been stopped while it wrote there
        os.makedirs(self.compiled)
        self.rows = []

    def cpp(self, preset, steps, *flags, threads=None):
        a = self.arguments
        batch = ["--batch", "16"] if preset == "paper" else []  # with the original's 80 a step takes a minute
        return Child([os.path.join(a.build, "bench"), "--data", a.data, "--threads", str(threads or a.threads),
                      "serve", "--preset", preset, "--steps", str(steps), *batch, *flags])

    def torch(self, variant, export, *flags):
        return Child([sys.executable, __file__, "--worker", "torch", "--variant", variant, "--export", export,
                      "--threads", str(self.arguments.threads), *flags], TORCHINDUCTOR_CACHE_DIR=self.compiled)

    def row(self, what, unit, here, there, ratio):
        def cell(values, form):
            middle, low, high = statistics.median(values), min(values), max(values)
            return form(middle) if low == high else f"{form(middle)} ({form(low)} to {form(high)})"

        def number(value):
            return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
        line = f"| {what} | {unit} | {cell(here, number)} | {cell(there, number)} | " \
               f"{cell(ratio, lambda r: f'{r:.2f}x')} |"
        print(line, flush=True)
        self.rows.append(line)

    def training(self, preset, variant, precision, warmups, repetitions):
        """Rows for one preset in one precision against one variant of PyTorch: the same padded batch, and real tokens."""
        export = os.path.join(self.folder, f"{preset}.safetensors")
        steps = warmups + repetitions
        padded = self.cpp(preset, steps, "--pad", "--precision", precision, "--export", export)
        ragged = self.cpp(preset, steps, "--precision", precision)
        other = self.torch(variant, export, "--check")
        print(f"{preset}, {variant}: losses differ by {float(other.greeting[1]):.1e} before timing", file=sys.stderr)
        try:
            samples = [[child.ask("step") for child in (padded, ragged, other)] for _ in range(steps)][warmups:]
        finally:
            for child in (padded, ragged, other):
                child.close()
        os.remove(export)
        name = preset if precision == "float32" else f"{preset}, {precision} here"
        here = [tokens / seconds for (seconds, tokens), _, _ in samples]
        there = [tokens / seconds for _, _, (seconds, tokens) in samples]
        self.row(f"{name}, training on the same padded batch, against {variant}", "tokens/s", here, there,
                 [h / t for h, t in zip(here, there)])
        real_here = [tokens / seconds for _, (seconds, tokens), _ in samples]
        real_there = [tokens / seconds for _, (_, tokens), (seconds, _) in samples]
        share = sum(r[1] for _, r, _ in samples) / sum(p[1] for p, _, _ in samples)
        self.row(f"{name}, training, ragged here, padded there ({100 * share:.0f} % real), against {variant}",
                 "real tokens/s", real_here, real_there, [h / t for h, t in zip(real_here, real_there)])

    def memory(self, preset):
        """Peak resident sets of processes that do nothing but three steps."""
        export = os.path.join(self.folder, f"{preset}.safetensors")
        self.cpp(preset, 3, "--pad", "--export", export).close()

        def peak(child):
            for _ in range(3):
                child.ask("step")
            most = child.peak_bytes() / 2 ** 20
            child.close()
            return most
        there = peak(self.torch("eager", export))
        os.remove(export)
        for how, flags in (("", ()), (", --recompute here", ("--recompute",))):
            here = peak(self.cpp(preset, 3, "--pad", *flags))
            self.row(f"{preset}, peak resident memory on the same padded batch{how}, against eager", "MiB", [here],
                     [there], [here / there])

    def tokenizer(self, repetitions):
        tokenizer = os.path.join(self.folder, "tokenizer.json")
        here = self.cpp("paper", 1, "--tokenizer", tokenizer, threads=1)
        there = Child([sys.executable, __file__, "--worker", "tokenizer", "--export", tokenizer, "--data",
                       self.arguments.data], RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
        samples = [[child.ask("encode") for child in (here, there)] for _ in range(1 + repetitions)][1:]
        for child in (here, there):
            child.close()
        for (_, ours), (_, theirs) in samples:
            if ours != theirs:
                sys.exit(f"the tokenizers disagree: {ours} tokens here, {theirs} there")
        megabytes = sum(len(story.encode()) for story in read_stories(self.arguments.data)) / 1e6
        self.row("tokenizer, encode on one thread, against tokenizers", "MB/s",
                 [megabytes / h for (h, _), _ in samples], [megabytes / t for _, (t, _) in samples],
                 [t / h for (h, _), (t, _) in samples])

    def run(self):
        import importlib.metadata
        quick = self.arguments.quick
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "tokenizers"))
        head = f"{processor()}, {self.arguments.threads} threads, {versions}, Python {platform.python_version()}. " \
               f"Command: `{' '.join(sys.argv)}`. Text: {self.arguments.data}. Median and range; each ratio is taken " \
               "between neighbours in time. Against bfloat16, which is autocast there, both sides round factors of " \
               "products.\n\n| what | unit | here | PyTorch | ratio |\n|---|---|---|---|---|"
        print(head, flush=True)
        repetitions = {"paper": 3 if quick else 5, "tiny_original": 5 if quick else 20}
        precisions = {"eager": ["float32", "bfloat16"], "compile": ["float32"], "bfloat16": ["bfloat16"]}
        for variant in self.arguments.variants:
            for preset, precision in ((p, q) for p in self.arguments.presets for q in precisions[variant]):
                try:
                    self.training(preset, variant, precision, 2, repetitions[preset])
                except RuntimeError as error:
                    print(f"{preset}, {variant}: {error}", file=sys.stderr)
                    self.rows.append(f"| {preset}, {variant} | did not run here | | | |")
        for preset in self.arguments.presets:
            self.memory(preset)
        self.tokenizer(3 if quick else 7)
        if self.arguments.markdown:
            with open(self.arguments.markdown, "w") as file:
                file.write("\n".join([head, *self.rows]) + "\n")


def processor():
    try:
        with open("/proc/cpuinfo") as info:
            return next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build", help="folder of the programs")
    parser.add_argument("--data", help="text; default: the built-in corpus")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--presets", nargs="+", default=["paper", "tiny_original"], choices=["paper", "tiny_original"])
    parser.add_argument("--variants", nargs="+", default=["eager", "compile", "bfloat16"],
                        choices=["eager", "compile", "bfloat16"])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--markdown", help="file to write the table to")
    hidden = {"help": argparse.SUPPRESS}
    parser.add_argument("--worker", choices=["torch", "tokenizer"], **hidden)
    parser.add_argument("--variant", **hidden)
    parser.add_argument("--export", **hidden)
    parser.add_argument("--check", action="store_true", **hidden)
    arguments = parser.parse_args()
    if arguments.worker == "torch":
        torch_worker(arguments)
    elif arguments.worker == "tokenizer":
        tokenizer_worker(arguments)
    else:
        if not arguments.data:
            folder = os.path.join(arguments.build, "corpus")
            subprocess.run([os.path.join(arguments.build, "smoe"), "corpus", "-o", folder], check=True,
                           stdout=subprocess.DEVNULL)
            arguments.data = os.path.join(folder, "train.jsonl")
        Comparison(arguments).run()


if __name__ == "__main__":
    main()
