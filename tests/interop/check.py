"""Do the tools of others read what this project writes, and does it read what they write?

    make interop                                          installs them into build/venv and runs this
    build/venv/bin/python tests/interop/check.py          runs it in an environment that has them

The others are PyTorch, `safetensors`, `tokenizers`, `transformers`, TensorBoard and the client `openai`. The model in
PyTorch is tests/bench/smoe_torch.py, and in transformers it is the Python that an export carries. Prints a line for
each check and ends with status 1 if one failed. Refuses to compare anything with this project's own second opinion: one
side of each comparison is always theirs. Read next: README.md, with the results; texts.py, clients.py.
"""
import argparse
import importlib.metadata
import contextlib
import io
import json
import os
import pathlib
import platform
import random
import shutil
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is looked up or fetched
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

import clients
import texts

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "bench"))
from smoe_torch import Decoder  # noqa: E402

TOLERANCE = 1e-5  # of losses, relative to max(1, |loss|); found are a few 1e-7
TIE = 1e-5  # scores of experts that are closer than this may be ordered either way by rounding
MEGABYTE = 1_000_000
PRE_TOKENIZERS = {"gpt2": True, "none": False}  # use_regex of the ByteLevel pre-tokenizer

# Two phases of the router, contexts that stories exceed, and no two sizes alike.
TRAINING = ("--preset tiny_original --width 32 --layers 2 --heads 4 --hidden 96 --router-width 16 --router-layers 3 --router-heads 2 "
            "--router-hidden 40 --experts 5 --mask-rate 0.3 --context 90 --entries 512 --batch 8 --steps 120 --lr 0.01 "
            "--warmup 20 --router-steps 60 --router-warmup 10 --eval-every 0 --sample-every 0").split()


class Disagreement(Exception):
    pass


def require(agreed, message):
    if not agreed:
        raise Disagreement(message)


class Workplace:
    """The program, a folder for its files, and the built-in corpus."""

    def __init__(self, build):
        self.program = build / "smoe"
        self.folder = build / "interop"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.smoe("corpus", "-o", self.folder / "corpus", "--stories", "9000", "--valid-stories", "150")
        self.train_file, self.valid_file = (self.folder / "corpus" / f"{part}.jsonl" for part in ("train", "valid"))
        self.train, self.valid = (
            [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            for file in (self.train_file, self.valid_file))

    def smoe(self, *words, text=None):
        """What the program prints; `text` is its standard input."""
        done = subprocess.run([self.program, *words], input=text and text.encode(), capture_output=True)
        require(done.returncode == 0, f"smoe {words[0]}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def write_stories(self, name, stories):
        """Texts and domains as a .jsonl file."""
        path = self.folder / f"{name}.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            for text, domain in stories:
                file.write(json.dumps({"text": text, "domain": domain}) + "\n")
        return path

    def train_run(self, name, *flags):
        run = self.folder / name
        self.smoe("train", "--run", run, "--data", self.train_file, "--valid", self.valid_file, *TRAINING, *flags)
        return run


# The model.

def build_networks(config):
    """Model and router of a run's configuration, untrained."""
    def build(sizes, outputs):
        return Decoder(config["vocab_size"], outputs, config["max_position_embeddings"], sizes["width"],
                       sizes["layers"], sizes["heads"], sizes["hidden"], config["experts"]["count"],
                       config["experts"]["mask_rate"], sizes["dropout"])
    return build(config["model"], config["vocab_size"]), build(config["router"], config["experts"]["count"])


def read_config(run):
    return json.loads((run / "config.json").read_text())


def sequence(tokenizer, config, story):
    """Inputs and targets (T): the start token, the story, the end, cut to the context."""
    end = config["eos_token_id"]
    targets = [*tokenizer.encode(story).ids, end][:config["max_position_embeddings"] - 1]
    return torch.tensor([config["bos_token_id"], *targets[:-1]]), torch.tensor(targets)


@torch.no_grad()
def losses_of(model, router, inputs, targets):
    """Loss (T) and expert (T) of each position, and the smallest lead of an expert over the next one. Without a router
    the model is dense."""
    experts, lead = None, TIE
    if router:
        best, order = router(inputs[None]).topk(2)  # (1, T, 2)
        experts, lead = order[..., 0], (best[..., 0] - best[..., 1]).min().item()
    losses = F.cross_entropy(model(inputs[None], experts)[0], targets, reduction="none")
    return losses, experts[0] if router else None, lead


def compare_losses(place, run, model, router):
    """PyTorch against `smoe eval` on the held-out stories, and on every beginning of a few of them: as routing is
    causal, equal counts of experts for all beginnings are equal experts at every position."""
    config = read_config(run)
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    stories = [story["text"] for story in place.valid]
    stories += [story[:end] for story in stories[:3] for end in range(1, min(len(story), 150))]
    # Each story is a domain of its own, since eval tells domains apart.
    path = place.write_stories("numbered", ((story, str(number)) for number, story in enumerate(stories)))
    measured = json.loads(place.smoe("eval", run, "--data", path, "--json"))
    model.eval()
    if router:
        router.eval()
    worst, ties, counts_sum = 0.0, 0, torch.zeros(config["experts"]["count"], dtype=torch.long)
    for number, story in enumerate(stories):
        here = measured["domains"][str(number)]
        losses, experts, lead = losses_of(model, router, *sequence(tokenizer, config, story))
        if lead < TIE:
            ties += 1
            continue
        require(here["tokens"] == len(losses), f"story {number}: {here['tokens']} tokens, {len(losses)} in PyTorch")
        there = losses.mean().item()
        worst = max(worst, abs(here["loss"] - there) / max(1.0, abs(there)))
        if router:
            counts = experts.bincount(minlength=len(counts_sum))
            require(here["expert_tokens"] == counts.tolist(),
                    f"story {number}: experts got {here['expert_tokens']} tokens, {counts.tolist()} in PyTorch")
            counts_sum += counts
    require(worst <= TOLERANCE, f"the loss of a story differs by {worst:.1e}, {TOLERANCE:g} is allowed")
    compared = len(stories) - ties
    require(compared > len(stories) / 2, f"{ties} of {len(stories)} texts have experts as good as equal")
    routing = ""
    if router:
        require((counts_sum > 0).sum() > 1, "one expert got all tokens: that compares no routing")
        routing = f", and so are the experts, with {counts_sum.tolist()} tokens"
    return f"the losses of {compared} texts, {measured['loss']:.4f} a token, are equal to {worst:.1e}{routing}" + \
           (f" ({ties} left out, where rounding decides the expert)" if ties else "")


def check_to_torch(place):
    run = place.train_run("run")
    model, router = build_networks(read_config(run))
    model.load_state_dict(load_file(run / "model.safetensors"), strict=True)
    router.load_state_dict(load_file(run / "router.safetensors"), strict=True)
    return compare_losses(place, run, model, router)


def check_dense_to_torch(place):
    run = place.train_run("dense", "--routing", "none")
    model, _ = build_networks(read_config(run))
    model.load_state_dict(load_file(run / "model.safetensors"), strict=True)
    return compare_losses(place, run, model, None)


def train_in_torch(place, config, tokenizer, model, router, steps):
    """The router learns to tell the domains of the corpus apart, the model to predict with the router's labels."""
    optimizer = torch.optim.AdamW([*model.parameters(), *router.parameters()], lr=3e-3)
    domains = sorted({story["domain"] for story in place.train})
    chance, history = random.Random(0), []
    for _ in range(steps):
        loss, tokens = 0.0, 0
        for story in chance.sample(place.train, 8):
            inputs, targets = sequence(tokenizer, config, story["text"])
            routing = router(inputs[None])[0]
            domain = torch.full_like(targets, domains.index(story["domain"]))
            logits = model(inputs[None], routing.argmax(-1)[None])[0]
            own = F.cross_entropy(logits, targets, reduction="sum")
            history.append(own.item() / len(targets))
            loss, tokens = loss + own + F.cross_entropy(routing, domain, reduction="sum"), tokens + len(targets)
        optimizer.zero_grad()
        (loss / tokens).backward()
        optimizer.step()
    return history


def check_from_torch(place):
    run, trained = place.folder / "from-torch", place.folder / "run"
    run.mkdir()
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(trained / name, run)
    torch.manual_seed(0)
    config = read_config(run)
    model, router = build_networks(config)
    history = train_in_torch(place, config, Tokenizer.from_file(str(run / "tokenizer.json")), model, router, 60)
    before, after = (sum(part) / len(part) for part in (history[:40], history[-40:]))
    require(after < 0.8 * before, f"training in PyTorch took the loss from {before:.3f} to {after:.3f} only")
    save_file(model.state_dict(), run / "model.safetensors")
    save_file(router.state_dict(), run / "router.safetensors")
    return compare_losses(place, run, model, router)


# The tokenizer.

def sample_texts(place):
    """A megabyte of each kind."""
    def corpus(domain):
        return texts.joined((story["text"] for story in place.train if story["domain"] == domain), MEGABYTE)
    return {"English": corpus("english"), "German": corpus("german"),
            "many scripts": texts.mixed_scripts(MEGABYTE, seed=1),
            "random bytes": texts.random_bytes(MEGABYTE, seed=2)}


def train_tokenizer(place, name, data, entries, pre):
    path = place.folder / f"{name}-{pre}.json"
    place.smoe("tokenizer", "train", "--data", data, "--entries", str(entries), "--pre-tokenizer", pre, "-o", path)
    return path


def check_ids(place):
    # Some of each text is learned from, so that merges apply in all of them.
    samples = sample_texts(place)
    data = place.write_stories("samples", ((piece, name) for name, text in samples.items()
                                           for piece in texts.paragraphs(text[:len(text) // 4])))
    reports = []
    for pre in PRE_TOKENIZERS:
        path = train_tokenizer(place, "samples", data, 4000, pre)
        theirs = Tokenizer.from_file(str(path))
        for name, text in samples.items():
            printed = place.smoe("tokenizer", "encode", path, text=text)
            here, there = [int(word) for word in printed.split()], theirs.encode(text).ids
            if here != there:
                at = next((i for i, (a, b) in enumerate(zip(here, there)) if a != b), min(len(here), len(there)))
                raise Disagreement(f"{pre}, {name}: token {at} is {here[at:at + 3]}, with tokenizers "
                                   f"{there[at:at + 3]}, after {theirs.decode(there[max(0, at - 5):at])!r}")
            require(place.smoe("tokenizer", "decode", path, text=printed) == text == theirs.decode(there),
                    f"{pre}, {name}: the decoded text is not the text")
            reports.append(f"{pre}, {name}: {len(here)} ids of {len(text.encode())} bytes")
    return "the same ids and texts; " + "; ".join(reports)


def learn_merges(stories, entries, use_regex):
    """Vocabulary and merges that the trainer of `tokenizers` learns."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(stories, trainers.BpeTrainer(
        vocab_size=entries, min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    learned = json.loads(tokenizer.to_str())["model"]
    return learned["vocab"], [list(pair) for pair in learned["merges"]]


def check_merges(place):
    collections = {"corpus": [story["text"] for story in place.train[:3000]],
                   "many scripts": texts.paragraphs(texts.mixed_scripts(MEGABYTE, seed=3))}
    reports = []
    for name, stories in collections.items():
        data = place.write_stories("merges", ((story, name) for story in stories))
        for pre, use_regex in PRE_TOKENIZERS.items():
            path = train_tokenizer(place, "merges", data, 2048, pre)
            here = json.loads(path.read_text(encoding="utf-8"))["model"]
            vocab, merges = learn_merges(stories, 2048, use_regex)
            same = next((i for i, (a, b) in enumerate(zip(here["merges"], merges)) if a != b), len(merges))
            require(here["merges"] == merges, f"{pre}, {name}: merges differ from number {same} on: "
                                              f"{here['merges'][same:same + 1]} and {merges[same:same + 1]}")
            require(here["vocab"] == vocab, f"{pre}, {name}: the vocabularies differ")
            reports.append(f"{pre}, {name}: {len(merges)}")
    return "the same merges in the same order and the same ids; " + "; ".join(reports)


# The exported folder.

def exported(folder, of_router):
    """The weights of the model or of its router in an export, by their own names."""
    weights = load_file(folder / "model.safetensors")
    return {name.removeprefix("router."): tensor for name, tensor in weights.items()
            if name.startswith("router.") == of_router}


def check_export(place):
    run, hub = place.folder / "run", place.folder / "hub"
    place.smoe("export", run, "--hf", hub)
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in hub.glob("*.json")}
    config, tokenizer = files["config"], Tokenizer.from_file(str(hub / "tokenizer.json"))
    require(tokenizer.get_vocab_size() == config["vocab_size"],
            f"{tokenizer.get_vocab_size()} tokens, config.json says {config['vocab_size']}")
    for role in ("bos_token", "eos_token", "pad_token"):
        name = files["special_tokens_map"][role]
        ids = {tokenizer.token_to_id(name), config[role + "_id"], files["generation_config"][role + "_id"]}
        require(len(ids) == 1, f"{role} has the ids {ids}")
        require(files["tokenizer_config"][role] == name, f"tokenizer_config.json has another {role} than {name}")
        added = files["tokenizer_config"]["added_tokens_decoder"][str(ids.pop())]
        require(added["content"] == name and added["special"], f"{role} is not among the special tokens")
    story = place.valid[0]["text"]
    ids = tokenizer.encode(story).ids
    require(ids[0] == config["bos_token_id"] and tokenizer.decode(ids) == story,
            "the tokenizer does not put the start token before a text, or the token leaves marks in decoded text")
    model, router = build_networks(config)
    model.load_state_dict(exported(hub, False), strict=True)
    router.load_state_dict(exported(hub, True), strict=True)
    here, there = (place.smoe("eval", folder, "--data", place.valid_file) for folder in (run, hub))
    require(here == there, "smoe eval finds another loss in the exported folder")
    halves = place.folder / "halves"
    place.smoe("export", run, "--hf", halves, "--dtype", "bfloat16")
    whole, half = (load_file(folder / "model.safetensors") for folder in (hub, halves))
    require(all(torch.equal(whole[key].to(torch.bfloat16), half[key]) for key in whole) and len(whole) == len(half),
            "model.safetensors in bfloat16 is not what PyTorch rounds to")
    card = (hub / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    require(len(card) == 3 and card[0] == "" and "library_name: smoe\n" in card[1], "README.md has no front matter")
    return f"{len(files)} JSON files, the weights and the tokenizer load; start, end and padding are " \
           f"{files['special_tokens_map']['eos_token']} (id {config['eos_token_id']}) in all of them"


# transformers.

ROUTINGS = ("router", "none", "hash", "hash_layers", "hash_bigram", "hash_balanced", "gate", "gate_first", "frozen")
OTHER_MASKS = "--mask-family blocks:8 --mask-rate 0.25 --mask-where hidden --mask-scale root --token-input".split()


def load(folder):
    """Model and tokenizer of an export; nothing may be said about it."""
    said = io.StringIO()
    handler = transformers.logging.get_logger().handlers[0]
    previous = handler.setStream(said)
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
            model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True).eval()
    finally:
        handler.setStream(previous)
    require(said.getvalue() == "", f"loading {folder.name} says {said.getvalue().strip()!r}")
    return model, tokenizer


def ids_of(text, model, tokenizer):
    """The start token, the text, the end, cut to the context."""
    context = model.config.max_position_embeddings
    ids = tokenizer(text, truncation=True, max_length=context)["input_ids"]
    return torch.tensor([*ids, model.config.eos_token_id][:context])


@torch.no_grad()
def compare_logits(place, run, model, tokenizer):
    """The largest difference of a story's loss from that of `smoe eval`, relative to max(1, loss)."""
    stories = place.valid[:60]
    path = place.write_stories("told", ((story["text"], str(n)) for n, story in enumerate(stories)))
    measured = json.loads(place.smoe("eval", run, "--data", path, "--json"))["domains"]
    worst, off = 0.0, 0
    for number, story in enumerate(stories):
        ids = ids_of(story["text"], model, tokenizer)
        logits = model(ids[None]).logits[0]
        there, here = F.cross_entropy(logits[:-1], ids[1:]).item(), measured[str(number)]["loss"]
        difference = abs(here - there) / max(1.0, abs(there))
        if difference > TOLERANCE:  # rounding decides between two experts that are as good as equal
            off += 1
        else:
            worst = max(worst, difference)
    require(off <= len(stories) / 50, f"{off} of {len(stories)} stories have other losses than smoe eval finds")
    return worst


def compare_generation(place, run, model, tokenizer):
    """Greedy texts with and without a cache, alone and beside a longer one, and those of `smoe generate`."""
    def write(prompts, **settings):
        inputs = tokenizer(prompts, return_tensors="pt", padding=True, padding_side="left")
        written = model.generate(**inputs, do_sample=False, max_length=70, **settings)
        return [tokenizer.decode(ids, skip_special_tokens=True) for ids in written]

    prompts = ["Once upon a time there was", "Es"]
    alone = [write([prompt])[0] for prompt in prompts]
    require(alone == [write([prompt], use_cache=False)[0] for prompt in prompts], "the cache changes what is written")
    # The shorter one of the two goes on for fewer tokens, since padding counts.
    require(all(text.startswith(part) and len(part) > len(prompt)
                for text, part, prompt in zip(alone, write(prompts), prompts)), "padding changes what is written")
    for prompt, text in zip(prompts, alone):
        tokens = 70 - len(tokenizer(prompt)["input_ids"])
        here = place.smoe("generate", run, "--prompt", prompt, "--sampling", "greedy", "--max-tokens", str(tokens),
                          "--precision", "float32")
        require(here.strip() == text.strip(), f"smoe generate writes {here!r}, transformers {text!r}")


def check_transformers(place):
    transformers.logging.disable_progress_bar()
    differences = {}
    for routing in ROUTINGS:
        run, hub = place.train_run(f"run-{routing}", "--routing", routing,
                                   *(OTHER_MASKS if routing == "gate" else [])), place.folder / f"hub-{routing}"
        place.smoe("export", run, "--hf", hub)
        model, tokenizer = load(hub)
        differences[routing] = compare_logits(place, run, model, tokenizer)
        compare_generation(place, run, model, tokenizer)
    told = pipeline("text-generation", str(place.folder / "hub-router"), trust_remote_code=True)("Once upon a time")
    require(len(told[0]["generated_text"]) > 30, f"the pipeline wrote {told}")
    return "losses of 60 stories are equal to " + \
           ", ".join(f"{value:.0e} ({routing})" for routing, value in differences.items()) + \
           "; greedy texts are the same with and without cache and padding, and those of smoe generate"


def check_trained_further(place):
    """A model that is trained in transformers and saved there, in smoe eval and smoe train --init."""
    model, tokenizer = load(place.folder / "hub-router")
    before = compare_logits(place, place.folder / "run-router", model, tokenizer)
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    for story in place.train[:40]:
        ids = ids_of(story["text"], model, tokenizer)[None]
        optimizer.zero_grad()
        model(ids, labels=ids).loss.backward()
        optimizer.step()
    model.eval()
    saved, tuned = place.folder / "saved", place.folder / "tuned"
    model.save_pretrained(saved)
    tokenizer("without cutting or padding, which would be saved, too")
    tokenizer.save_pretrained(saved)
    after = compare_logits(place, saved, model, tokenizer)
    place.smoe("train", "--init", saved, "--run", tuned, "--data", place.train_file, "--valid", place.valid_file,
               "--steps", "1", "--lr", "1e-9")
    losses = [json.loads(place.smoe("eval", folder, "--data", place.valid_file, "--json"))["loss"]
              for folder in (place.folder / "run-router", saved, tuned)]
    require(abs(losses[0] - losses[1]) > 1e-3, "training in transformers changed nothing")
    require(abs(losses[1] - losses[2]) < 1e-4, f"--init begins at a loss of {losses[2]}, it was {losses[1]}")
    return f"losses are equal to {before:.0e} before and {after:.0e} after 40 steps there; " \
           f"smoe train --init begins at {losses[2]:.4f} (saved: {losses[1]:.4f}, before: {losses[0]:.4f})"


def check_tensorboard(place):
    run, board = place.folder / "run", place.folder / "board"
    place.smoe("metrics", run, "--tensorboard", board)
    reader = EventAccumulator(str(board)).Reload()
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    tags = set(reader.Tags()["scalars"])
    for key in ("loss", "learning_rate", "grad_norm", "valid_loss", "multiply_adds"):
        there = [(event.step, event.value) for event in reader.Scalars(key)]
        here = [(line["step"], torch.tensor(float(line[key])).item()) for line in lines if key in line]
        require(here and here == there, f"{key} is {there[:3]}, in metrics.jsonl {here[:3]}")
    times = [event.wall_time for event in reader.Scalars("loss")]
    require(times == [line["time"] for line in lines if "loss" in line], "times differ")
    require({"expert_tokens/4", "valid_domains/english/loss"} <= tags, f"tags are {sorted(tags)}")
    return f"TensorBoard reads {len(lines)} reports with {len(tags)} kinds of numbers"


CHECKS = {"weights of a run in PyTorch": check_to_torch,
          "weights of a dense run in PyTorch": check_dense_to_torch,
          "weights trained in PyTorch here": check_from_torch,
          "ids of tokenizers": check_ids,
          "merges of tokenizers' trainer": check_merges,
          "smoe export": check_export,
          "the export in transformers": check_transformers,
          "trained further in transformers": check_trained_further,
          "smoe metrics in TensorBoard": check_tensorboard,
          "clients of smoe serve": lambda place: clients.check_clients(place.program, place.folder / "run")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"), help="folder of the program")
    build = parser.parse_args().build
    if not (build / "smoe").exists():
        parser.error(f"{build / 'smoe'} is missing: build it with make")
    place = Workplace(build)
    failed = 0
    for name, check in CHECKS.items():
        try:
            print(f"ok      {name}: {check(place)}", flush=True)
        except Exception as error:  # whatever it is, the other checks run
            failed += 1
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
    versions = [f"{name} {importlib.metadata.version(name)}"
                for name in ("torch", "safetensors", "tokenizers", "transformers", "tensorboard", "openai")]
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks passed with {', '.join(versions)}, "
          f"Python {platform.python_version()}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
