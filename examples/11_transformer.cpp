// Lesson 11: a transformer by plain loops, from tokens to scores. Each token becomes a row of
// numbers, its embedding, plus a row for its position. Then come blocks, all alike: attention
// (lesson 10) fetches from earlier rows, with several heads side by side, and a feed-forward network
// of two layers works on each row by itself. What each brings is added to what came in (a residual
// connection, a straight way back for gradients), and the sum is brought to mean 0 and variance 1
// (LayerNorm), so that numbers keep their size however many blocks are stacked. A last matrix turns
// each row into logits, a score for each next token.
// Claims: the loops give the logits of `Decoder` up to rounding, for the network that lesson 12
// trains. Without positions, a block cannot tell in which order the words before came.
// Next: 12_reverse.cpp. The same in layers: models/transformer/decoder.cpp.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "core/check.h"
#include "examples/picture.h"
#include "models/transformer/decoder.h"

using namespace smoe;

namespace {

constexpr size_t width = 64, heads = 4;
using Row = std::vector<double>;
using Matrix = std::vector<Row>;  // of activations: a row for each position

// The sum of the products of n numbers here and there.
template <class A, class B>
double dot(const A* a, const B* b, size_t n) {
    return std::inner_product(a, a + n, b, 0.0);
}

struct ByLoops {
    std::map<std::string, Tensor> weights;
    const real* at(const std::string& name) const { return weights.at(name).data(); }

    // x W^T + bias; not each layer has a bias.
    Matrix linear(const Matrix& x, const std::string& name) const {
        const size_t in = x[0].size(), out = size_t(weights.at(name + ".weight").size(0));
        const bool has_bias = weights.contains(name + ".bias");
        Matrix y(x.size(), Row(out));
        for (size_t t = 0; t < x.size(); ++t) {
            for (size_t o = 0; o < out; ++o) {
                y[t][o] = dot(at(name + ".weight") + o * in, x[t].data(), in) +
                          (has_bias ? at(name + ".bias")[o] : 0);
            }
        }
        return y;
    }

    // Lesson 10 for each head, which has a slice of each query, key and value to itself.
    Matrix attention(const Matrix& x, const std::string& name) const {
        constexpr size_t C = width, D = C / heads;
        const Matrix qkv = linear(x, name + ".qkv_proj");  // queries, keys, values side by side
        Matrix mixed(x.size(), Row(C));
        for (size_t begin = 0; begin < C; begin += D) {
            for (size_t t = 0; t < x.size(); ++t) {
                Row share;  // of each position up to t
                for (size_t s = 0; s <= t; ++s) {
                    const double score = dot(&qkv[t][begin], &qkv[s][C + begin], D);
                    share.push_back(std::exp(score / std::sqrt(double(D))));
                }
                const double total = std::accumulate(share.begin(), share.end(), 0.0);
                for (size_t s = 0; s <= t; ++s) {
                    for (size_t c = begin; c < begin + D; ++c) {
                        mixed[t][c] += share[s] / total * qkv[s][2 * C + c];
                    }
                }
            }
        }
        return linear(mixed, name + ".out_proj");  // puts together what the heads found
    }

    // x + branch, each row to mean 0 and variance 1, then times a weight and plus a bias.
    Matrix add_and_norm(Matrix x, const Matrix& branch, const std::string& name) const {
        for (size_t t = 0; t < x.size(); ++t) {
            std::ranges::transform(x[t], branch[t], x[t].begin(), std::plus());
            const double mean = std::accumulate(x[t].begin(), x[t].end(), 0.0) / width;
            const double variance = dot(x[t].data(), x[t].data(), width) / width - mean * mean;
            for (size_t c = 0; c < width; ++c) {
                x[t][c] = (x[t][c] - mean) / std::sqrt(variance + 1e-5) * at(name + ".weight")[c] +
                          at(name + ".bias")[c];
            }
        }
        return x;
    }

    Matrix block(const Matrix& x, const std::string& name) const {
        const Matrix y = add_and_norm(x, attention(x, name + ".attn"), name + ".norm1");
        Matrix neurons = linear(y, name + ".ffn.lin_1.linear");
        for (Row& row : neurons) {
            std::ranges::replace_if(
                row, [](double u) { return u < 0; }, 0.0);  // relu
        }
        return add_and_norm(y, linear(neurons, name + ".ffn.lin_2.linear"), name + ".norm2");
    }

    Matrix embed(const std::vector<int32_t>& tokens, double positions = 1) const {
        Matrix x(tokens.size(), Row(width));
        for (size_t t = 0; t < tokens.size(); ++t) {
            for (size_t c = 0; c < width; ++c) {  // positions are sines and cosines
                x[t][c] = at("token_embedding.weight")[size_t(tokens[t]) * width + c] +
                          positions * at("pos_embedding")[t * width + c];
            }
        }
        return x;
    }
};

// The last row of each stage as a strip of cells, the darker the larger, below 0 in a second colour.
Matrix print(const std::string& what, const Matrix& x, Picture& picture, double y) {
    picture.text(8, y + 14, "start", what);
    picture.text(254, y + 14, "end", fmt::format("({}, {})", x.size(), x[0].size()));
    for (size_t c = 0; c < x[0].size(); ++c) {
        const double number = x.back()[c];
        picture.cell(264 + 7 * double(c), y, 6.5, 20, Picture::colours[number < 0 ? 1 : 0],
                     std::min(1.0, 0.06 + std::abs(number) / 3));
    }
    fmt::print("    {:28}({}, {:2})  {:8.3f}{:8.3f}{:8.3f} ...\n", what, x.size(), x[0].size(),
               x.back()[0], x.back()[1], x.back()[2]);
    return x;
}

}  // namespace

int main() {
    Rng rng(11);
    DecoderSettings settings{.vocab = 14, .outputs = 14, .context = 18, .width = width};
    settings.layers = 2, settings.heads = heads, settings.hidden = 128, settings.num_experts = 1;
    const Decoder model(settings, rng);
    const ByLoops loops{model.state_dict()};
    const std::vector<int32_t> tokens = {0, 1, 2, 12, 2};  // a b c > c
    fmt::print("Five tokens on their way: the shape, and how the last row begins\n");
    Picture picture;
    Matrix x = print("embedding + position", loops.embed(tokens), picture, 16);
    print("brought by four heads", loops.attention(x, "layers.0.attn"), picture, 50);
    x = print("after the first block", loops.block(x, "layers.0"), picture, 84);
    x = print("after the second", loops.block(x, "layers.1"), picture, 118);
    x = print("logits: for each next token", loops.linear(x, "decoder"), picture, 152);
    picture.save("11_transformer", 724, 194);

    const Tensor expected = model.forward(Sequences::of(tokens), {}).value();  // (5, 14)
    double apart = 0;
    for (size_t i = 0; i < tokens.size() * 14; ++i) {
        apart = std::max(apart, std::abs(expected.data()[i] - x[i / 14][i % 14]));
    }
    check(apart < 1e-5, "lesson: loops and Decoder differ by {}", apart);
    fmt::print(
        "Decoder's logits are the same up to rounding.\n\n'c' after 'a b' and after 'b a', how far "
        "a block's results are apart:\n");
    for (const double positions : {0, 1}) {
        const Matrix ab = loops.block(loops.embed({0, 1, 2}, positions), "layers.0");
        const Matrix ba = loops.block(loops.embed({1, 0, 2}, positions), "layers.0");
        const double order = std::abs(ab[2][0] - ba[2][0]);
        fmt::print("    {} positions: {:.4f}\n", positions > 0 ? "with" : "without", order);
        check((positions > 0) == (order > 1e-4), "lesson: only positions should tell the order");
    }
    return 0;
}
