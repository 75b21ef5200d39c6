"""Can clients of OpenAI's interface talk to `smoe serve`, unchanged? The official Python client and curl are asked.

    python tests/interop/clients.py build     what check.py does with the rest, alone: needs `openai`, and no PyTorch
"""
import json
import pathlib
import subprocess
import sys

import openai

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tools"))
from served import Served  # noqa: E402

SEED = 11


def require(agreed, message):
    if not agreed:
        raise AssertionError(message)


def connect(served, key="none"):
    return openai.OpenAI(base_url=served.address + "v1", api_key=key, max_retries=0)


def refusal(kind, call):
    """What the client raises must be of this kind, with all that the interface has."""
    try:
        call()
    except kind as error:
        require({"message", "type", "param", "code"} <= set(error.body), f"the error is {error.body}")
        return error.body["message"]
    raise AssertionError(f"no {kind.__name__} was raised")


def check_texts(client, model, alone):
    asked = dict(model=model, prompt="Once upon", max_tokens=20, seed=SEED)
    whole = client.completions.create(**asked, logprobs=3, echo=True, n=2, stop=["never so"])
    require(len(whole.choices) == 2 and whole.choices[0].text == "Once upon" + alone["text"], "texts differ from smoe generate")
    lists = whole.choices[0].logprobs
    drawn = [token["log_probability"] for token in alone["tokens"] if token["text"]]
    require(lists.token_logprobs[-len(drawn):] == drawn, "log probabilities differ from smoe generate")
    places = zip(lists.text_offset, lists.tokens, ["", *lists.tokens])  # parts of characters have none
    require(all(whole.choices[0].text.startswith(token, at) for at, token, before in places if "bytes:" not in token + before),
            "text_offset does not say where tokens stand")
    require(whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 20, f"usage is {whole.usage}")
    chunks = list(client.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    require("".join(chunk.choices[0].text for chunk in chunks[:-1]) == alone["text"], "the stream has a different text")
    require(chunks[-2].choices[0].finish_reason in ("stop", "length") and chunks[-1].usage.completion_tokens > 0, "the stream has no end")
    ids = client.completions.create(model=model, prompt=[[1, 2, 3], [4]], max_tokens=3, temperature=0)
    require(len(ids.choices) == 2, "two prompts of ids give two texts")
    told = client.completions.create(**asked, extra_body={"expert": 2, "details": True}).choices[0]
    require({token["expert"] for token in told.details} <= {2, None} and len(told.details[0]["router"]) == 5, "no details")
    return len(chunks)


def check_clients(program, run):
    """Returns what was found, for people."""
    alone = json.loads(subprocess.run(
        [program, "generate", run, "--prompt", "Once upon", "--max-tokens", "20", "--seed", str(SEED), "--sampling", "multinomial",
         "--json"], capture_output=True, check=True).stdout)
    model = pathlib.Path(run).name
    with Served(program, [run]) as served, connect(served) as client:
        require([one.id for one in client.models.list()] == [model] and client.models.retrieve(model).id == model, "models differ")
        chunks = check_texts(client, model, alone)
        refusal(openai.NotFoundError, lambda: client.completions.create(model="none", prompt="A"))
        refusal(openai.BadRequestError, lambda: client.completions.create(model=model, prompt="A", max_tokens=-1))
        message = refusal(openai.BadRequestError, lambda: client.completions.create(model=model, prompt="#" * 999))
        require("context" in message, f"a long prompt is refused by {message}")
        body = json.dumps({"model": model, "prompt": "Once upon", "max_tokens": 20, "seed": SEED})
        answer = subprocess.run(["curl", "-sS", served.address + "v1/completions", "-d", body], capture_output=True, check=True).stdout
        require(json.loads(answer)["choices"][0]["text"] == alone["text"], "curl gets a different text")
    with Served(program, [run], "--key", "secret") as served:
        with connect(served, "wrong") as client:
            refusal(openai.AuthenticationError, lambda: client.models.list())
        with connect(served, "secret") as client:
            require(len(client.models.list().data) == 1, "the right key opens nothing")
    return f"openai {openai.__version__} and curl get what smoe generate writes, {chunks} chunks of a stream, errors and a key"


def main():
    build = pathlib.Path(sys.argv[1])
    folder = build / "interop-clients"
    smoe = build / "smoe"
    subprocess.run([smoe, "corpus", "-o", folder / "corpus", "--stories", "300", "--valid-stories", "30"], check=True,
                   stdout=subprocess.DEVNULL)
    if not (folder / "run").exists():
        subprocess.run([smoe, "train", "--run", folder / "run", "--data", folder / "corpus/train.jsonl", "--valid",
                        folder / "corpus/valid.jsonl", *"--preset tiny_original --width 32 --layers 2 --heads 4 --hidden 96 --router-width 16 --router-layers 1 "
                        "--router-heads 2 --router-hidden 40 --experts 5 --context 90 --entries 400 --steps 40 --sample-every 0".split()],
                       check=True, stdout=subprocess.DEVNULL)
    print("ok     ", check_clients(smoe, folder / "run"))


if __name__ == "__main__":
    main()
