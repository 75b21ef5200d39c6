"""The Single Mixture of Experts language model in PyTorch, as somebody who knows PyTorch would write it: the yardstick
of compare_torch.py. It says what models/transformer/decoder.h and nn/ say, module by module, under the same parameter names, so
that a state_dict from one side loads on the other. It is no cleverer than PyTorch: no custom kernels,
no ragged batches. Read next: compare_torch.py.

Shapes: B sequences, T positions, C width, F hidden width, V vocabulary, K experts.
"""
import torch
import torch.nn.functional as F
from torch import nn


def sinusoids(length, width):
    """(length, width): sin(t / 10000^(2i/width)) in column 2i, the cosine in column 2i + 1."""
    even = torch.arange(0, width, 2, dtype=torch.float64)
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10000 ** (even / width)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).float()


class MaskedLinear(nn.Module):
    """(x W^T + b) * m_e / mean(m_e), with m_e the mask of each position's expert; without experts a linear layer."""

    def __init__(self, fan_in, fan_out, experts, rate):
        super().__init__()
        self.linear = nn.Linear(fan_in, fan_out)
        self.register_buffer("mask", (torch.rand(experts, fan_out) > rate).float())  # (K, out)

    def forward(self, x, expert=None):
        y = self.linear(x)
        if expert is None:
            return y
        kept = self.mask[expert]  # (B, T, out)
        return y * kept / kept.mean(-1, keepdim=True)


class FeedForward(nn.Module):
    def __init__(self, width, hidden, experts, rate):
        super().__init__()
        self.lin_1 = MaskedLinear(width, hidden, experts, rate)
        self.lin_2 = MaskedLinear(hidden, width, experts, rate)

    def forward(self, x, expert=None):
        return self.lin_2(self.lin_1(x, expert).relu(), expert)


class Attention(nn.Module):
    """Causal self-attention by PyTorch's own fused kernel."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv_proj = nn.Linear(width, 3 * width, bias=False)
        self.out_proj = nn.Linear(width, width, bias=False)

    def forward(self, x):
        split = self.qkv_proj(x).unflatten(-1, (3, self.heads, -1))  # (B, T, 3, H, D)
        q, k, v = split.permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Post-norm: each branch is added, then the sum is normalised."""

    def __init__(self, width, heads, hidden, experts, rate, dropout):
        super().__init__()
        self.attn = Attention(width, heads)
        self.ffn = FeedForward(width, hidden, experts, rate)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, expert=None):
        x = self.norm1(x + self.dropout(self.attn(x)))
        return self.norm2(x + self.dropout(self.ffn(x, expert)))


class Decoder(nn.Module):
    """Language model (outputs = V, with experts) or router (outputs = K, without): tokens (B, T) -> (B, T, outputs)."""

    def __init__(self, vocab, outputs, context, width, layers, heads, hidden, experts, rate, dropout):
        super().__init__()
        self.token_embedding = nn.Embedding(vocab, width)
        self.register_buffer("pos_embedding", sinusoids(context, width)[None])
        self.layers = nn.ModuleList(
            [Block(width, heads, hidden, experts, rate, dropout) for _ in range(layers)])
        self.decoder = nn.Linear(width, outputs, bias=False)

    def forward(self, tokens, expert=None):
        x = self.token_embedding(tokens) + self.pos_embedding[:, :tokens.shape[1]]
        for block in self.layers:
            x = block(x, expert)
        return self.decoder(x)


class ScheduleFreeAdamW:
    """Schedule-free AdamW (Defazio et al., 2024) in training mode, on lists of tensors as the authors' package does:
    the parameters hold y, and z and v are kept beside."""

    def __init__(self, parameters, lr, beta1, beta2, eps, weight_decay, warmup):
        self.y = [p for p in parameters if p.requires_grad]
        self.z = [p.detach().clone() for p in self.y]
        self.v = [torch.zeros_like(p) for p in self.y]
        self.lr, self.beta1, self.beta2 = lr, beta1, beta2
        self.eps, self.weight_decay, self.warmup = eps, weight_decay, warmup
        self.steps, self.lr_max, self.weight_sum = 0, 0.0, 0.0

    @torch.no_grad()
    def step(self):
        lr = self.lr * min(1.0, (self.steps + 1) / max(1, self.warmup))
        self.lr_max = max(self.lr_max, lr)
        self.weight_sum += self.lr_max ** 2
        c = self.lr_max ** 2 / self.weight_sum
        g = [p.grad for p in self.y]
        torch._foreach_mul_(self.v, self.beta2)
        torch._foreach_addcmul_(self.v, g, g, value=1 - self.beta2)
        scale = torch._foreach_div(self.v, 1 - self.beta2 ** (self.steps + 1))
        torch._foreach_sqrt_(scale)
        torch._foreach_add_(scale, self.eps)
        d = torch._foreach_div(g, scale)
        torch._foreach_add_(d, self.y, alpha=self.weight_decay)
        torch._foreach_lerp_(self.y, self.z, weight=c)
        torch._foreach_add_(self.y, d, alpha=lr * (self.beta1 * (1 - c) - 1))
        torch._foreach_sub_(self.z, d, alpha=lr)
        self.steps += 1

    def zero_grad(self):
        for p in self.y:
            p.grad = None
