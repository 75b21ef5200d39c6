// The model in PyTorch, as `transformers` wants it: modeling_smoe.py, with the names of the weights
// as they are in model.safetensors, and configuration_smoe.py. Both are written into an export.
// tests/interop/check.py compares the logits. Balancing gates and learning a router are left to
// training here.
// Read next: models/transformer/decoder.h, nn/masked_feed_forward.h, which say the same.
#include <algorithm>
#include <set>

#include "examples/smoe/huggingface.h"

namespace smoe {

std::string why_not_in_transformers(const Config& config) {
    static const std::set<std::string> routers = {
        "none",          "router", "hash", "hash_layers", "hash_bigram",
        "hash_balanced", "random", "gate", "gate_first",  "frozen"};
    if (!routers.contains(config.model.router.kind)) {
        return "the router '" + config.model.router.kind + "' is not part of it";
    }
    return config.model.experts.feed_forward.starts_with("masked")
               ? ""
               : "the feed-forward network '" + config.model.experts.feed_forward +
                     "' is not part of it";
}

const char* const configuration_smoe_py =
    R"py("""The settings of a Single Mixture of Experts, for transformers.

Each key of config.json is an attribute: the sizes under their usual names, and in the groups `model`, `experts`, `router`,
`training` and `data` all settings of the run, by the names that smoe gives them. See modeling_smoe.py.
"""
from transformers import PretrainedConfig


class SmoeConfig(PretrainedConfig):
    model_type = "smoe"
    keys_to_ignore_at_inference = ["cache", "past_key_values"]
)py";

const char* const modeling_smoe_py =
    R"py("""The Single Mixture of Experts in PyTorch, for transformers.

A decoder transformer (post-norm, ReLU, sinusoidal positions). Its feed-forward networks contain all experts: an expert is
the network with a fixed set of neurons switched off, and a router picks one for each token. A learned router runs as it
was when it was frozen; its part is not trained here, and the biases of gates stay as they are.

Shapes: B sequences, T new positions, S positions with those in the cache, C width, K experts.
"""
import torch
import torch.nn.functional as F
from torch import nn
from transformers import GenerationMixin, PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer
from transformers.modeling_outputs import CausalLMOutputWithPast

from .configuration_smoe import SmoeConfig

WORD = 0xFFFFFFFF
CACHE = "cache" if hasattr(CausalLMOutputWithPast, "cache") else "past_key_values"  # as older versions call it


def philox(seed, use, index, counter):
    """The first word of Philox 4x32-10 (Salmon et al., 2011) for each number of `counter`, an int64 tensor."""
    x = [counter & WORD, counter >> 32 & WORD, torch.full_like(counter, index), torch.full_like(counter, use)]
    low, high = seed & WORD, seed >> 32
    for _ in range(10):
        p, q = x[0] * 0xD2511F53, x[2] * 0xCD9E8D57  # modulo 2^64, of which the bits are right
        x = [(q >> 32 & WORD) ^ x[1] ^ low, q & WORD, (p >> 32 & WORD) ^ x[3] ^ high, p & WORD]
        low, high = low + 0x9E3779B9 & WORD, high + 0xBB67AE85 & WORD
    return x[0]


def hash_expert(config, index, key):
    """An expert for each number of `key`; each index is another function."""
    hash_use = 7  # the streams of random numbers that belong to hashes
    return philox(config.training["seed"], hash_use, index, key) % config.experts["count"]


class MaskedLinear(nn.Module):
    """(x W^T + b) times the mask of each position's expert, scaled by what it keeps; without experts a linear layer."""

    def __init__(self, fan_in, fan_out, experts):
        super().__init__()
        self.linear = nn.Linear(fan_in, fan_out)
        self.register_buffer("mask", torch.ones(experts["count"], fan_out))
        self.power = {"inverse": 1.0, "root": 0.5, "one": 0.0}[experts["mask_scale"]]

    def forward(self, x, expert):
        y = self.linear(x)
        if expert is None:
            return y
        kept = self.mask[expert]  # (B, T, out)
        return y * kept / kept.mean(-1, keepdim=True) ** self.power


class FeedForward(nn.Module):
    def __init__(self, width, hidden, experts):
        super().__init__()
        self.lin_1 = MaskedLinear(width, hidden, experts)
        self.lin_2 = MaskedLinear(hidden, width, experts)

    def forward(self, x, expert):
        return self.lin_2(self.lin_1(x, expert).relu(), expert)


class Attention(nn.Module):
    def __init__(self, width, heads, cache_layer):
        super().__init__()
        self.heads, self.cache_layer = heads, cache_layer
        self.qkv_proj = nn.Linear(width, 3 * width, bias=False)
        self.out_proj = nn.Linear(width, width, bias=False)

    def forward(self, x, visible, cache):
        q, k, v = self.qkv_proj(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        if cache is not None:
            k, v = cache.update(k, v, self.cache_layer)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=visible)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class Gate(nn.Module):
    """Scores the experts by what comes into a block; the best score and bias wins, and the score weighs the output."""

    def __init__(self, width, experts, learns):
        super().__init__()
        weight = torch.zeros(experts, width)
        if learns:
            self.weight = nn.Parameter(weight)
        else:
            self.register_buffer("weight", weight)
        self.register_buffer("bias", torch.zeros(experts))
        self.register_buffer("load", torch.zeros(experts))

    def forward(self, x):
        score = 2 * torch.sigmoid(F.linear(x, self.weight))  # (B, T, K)
        expert = (score / 2 + self.bias).argmax(-1)
        return expert, score.gather(-1, expert[..., None])


class Block(nn.Module):
    def __init__(self, sizes, experts, cache_layer, gate):
        super().__init__()
        width = sizes["width"]
        self.attn = Attention(width, sizes["heads"], cache_layer)
        self.ffn = FeedForward(width, sizes["hidden"], experts)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(sizes["dropout"])
        self.gate = gate

    def forward(self, x, tokens, visible, cache, expert, weight):
        x = self.norm1(x + self.dropout(self.attn(x, visible, cache)))
        into = x if tokens is None else x + tokens
        if self.gate is not None:
            expert, weight = self.gate(into)
        y = self.ffn(into, expert)
        return self.norm2(x + self.dropout(y if weight is None else y * weight))


class Decoder:
    """What the language model and a learned router have in common, as a part of both."""

    def build(self, config, sizes, outputs, cache_layer=0, make_gate=lambda: None):
        width, self.context = sizes["width"], config.max_position_embeddings
        self.token_embedding = nn.Embedding(config.vocab_size, width)
        self.register_buffer("pos_embedding", torch.zeros(1, self.context, width))
        self.layers = nn.ModuleList(
            [Block(sizes, config.experts, cache_layer + i, make_gate()) for i in range(sizes["layers"])])
        self.decoder = nn.Linear(width, outputs, bias=False)

    def embed(self, ids, positions):
        tokens = self.token_embedding(ids)
        return tokens, tokens + self.pos_embedding[0, positions]


class LearnedRouter(Decoder, nn.Module):
    def __init__(self, config):
        nn.Module.__init__(self)
        self.build(config, config.router, config.experts["count"], config.num_hidden_layers)
        self.requires_grad_(False)

    def forward(self, ids, positions, visible, cache):
        _, x = self.embed(ids, positions)
        for block in self.layers:
            x = block(x, None, visible, cache, None, None)
        return self.decoder(x).argmax(-1)


class TableRouter(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.register_buffer("experts", torch.zeros(config.vocab_size))


class SmoeForCausalLM(Decoder, PreTrainedModel, GenerationMixin):
    config_class = SmoeConfig
    _no_split_modules = ["Block"]
    _supports_sdpa = True

    def __init__(self, config):
        super().__init__(config)
        width, count, self.routing = config.hidden_size, config.experts["count"], config.router["routing"]
        gate = lambda: Gate(width, count, self.routing != "frozen")  # noqa: E731
        inside = self.routing in ("gate", "frozen")
        self.build(config, config.model, config.vocab_size, make_gate=gate if inside else lambda: None)
        self.gate = gate() if self.routing == "gate_first" else None
        if self.routing == "router":
            self.router = LearnedRouter(config)
        elif self.routing == "hash_balanced":
            self.router = TableRouter(config)
        self.post_init()

    def train(self, mode=True):
        super().train(mode)
        if self.routing == "router":
            self.router.eval()  # it is frozen, without dropout
        return self

    def get_input_embeddings(self):
        return self.token_embedding

    def get_output_embeddings(self):
        return self.decoder

    def experts_for(self, ids, positions, visible, cache):
        """The expert of each token (B, T) in every layer; None where all neurons work or a gate decides."""
        config, layers = self.config, len(self.layers)
        if self.routing == "router":
            with torch.no_grad():
                chosen = self.router(ids, positions, visible, cache)
        elif self.routing == "hash_balanced":
            chosen = self.router.experts[ids].long()
        elif self.routing == "hash":
            chosen = hash_expert(config, 0, ids)
        elif self.routing == "hash_layers":
            return [hash_expert(config, 1 + i, ids) for i in range(layers)]
        elif self.routing == "hash_bigram":
            before = F.pad(ids, (1, 0))[:, :-1]
            if cache is not None:  # which keeps the ids, as if they were keys of one more layer
                kept, _ = cache.update(*[ids[:, None, :, None].float()] * 2, layers)
                before = F.pad(kept[:, 0, :, 0].long(), (1, 0))[:, -1 - ids.shape[1]:-1]
            chosen = hash_expert(config, 0, torch.where(positions > 0, before + 1, 0) << 32 | ids)
        elif self.routing == "random":
            chosen = torch.randint(config.experts["count"], ids.shape, device=ids.device)
        else:
            chosen = None
        return [chosen] * layers

    def forward(self, input_ids, attention_mask=None, position_ids=None, past_key_values=None, cache=None, labels=None,
                use_cache=None, logits_to_keep=0, **kwargs):
        B, T = input_ids.shape
        cache = past_key_values if cache is None else cache
        if cache is None and (use_cache or use_cache is None and not self.training):
            cache = DynamicCache()
        before = 0 if cache is None else cache.get_seq_length()
        if cache is not None:  # layers of the router, and one for the ids
            last = self.config.num_hidden_layers + (self.config.router["layers"] if self.routing == "router" else 1)
            cache.layers.extend(DynamicLayer() for _ in range(last - len(cache.layers)))
        place = torch.arange(before + T, device=input_ids.device)  # (S)
        real = torch.ones(B, before + T, dtype=torch.bool, device=input_ids.device)
        if attention_mask is not None:
            real = attention_mask.bool()
        if position_ids is None:
            position_ids = (real.long().cumsum(-1) - 1).clamp(min=0)[:, before:]
        if int(position_ids.max()) >= self.context:
            raise ValueError(f"this model reads and writes at most {self.context} tokens, the start token included: "
                             "give it less text, or ask for fewer new tokens")
        own = place[before:, None]  # (T, 1)
        visible = (real[:, None, None] & (place <= own)) | (place == own)  # (B, 1, T, S); padding sees itself

        experts = self.experts_for(input_ids, position_ids, visible, cache)
        tokens, x = self.embed(input_ids, position_ids)
        weight = None
        if self.gate is not None:
            expert, weight = self.gate(x)
            experts = [expert] * len(self.layers)
        for block, expert in zip(self.layers, experts):
            x = block(x, tokens if self.config.model["token_input"] else None, visible, cache, expert, weight)
        logits = self.decoder(x[:, -logits_to_keep:] if logits_to_keep else x)
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)
        return CausalLMOutputWithPast(loss=loss, logits=logits, **{CACHE: cache})
)py";

}  // namespace smoe
