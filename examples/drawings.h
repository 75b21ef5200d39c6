// Pictures of lessons that take more than a few lines: what the heads of a decoder look at, in tables
// that the op `attention` never keeps, and what experts share in each family of masks.
// Read next: 12_reverse.cpp and 14_experts.cpp, which draw them.
#pragma once

#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "examples/picture.h"
#include "models/transformer/decoder.h"
#include "nn/masks.h"

namespace smoe {

// How much each position of a sequence takes from each other in a dense decoder: a table (T, T) for
// each head, those of the first block first, computed once more as lesson 10 does it.
inline std::vector<Tensor> attention_weights(const Decoder& model,
                                             const std::vector<int32_t>& tokens) {
    const NoGrad no_grad;
    const Sequences sequences = Sequences::of(tokens);
    const int64_t T = int64_t(tokens.size()), C = model.settings().width;
    const int64_t heads = model.settings().heads, D = C / heads;
    const auto routing = std::make_shared<const Routing>(Routing::dense());
    const Variable positions(model.pos_embedding().reshape({model.settings().context, C}));
    Variable x =
        add(model.token_embedding().forward(tokens), narrow(positions, 0, 0, T));  // (T, C)
    std::vector<Tensor> tables;
    for (const auto& block : model.layers()) {
        const Tensor qkv = block->attn.qkv_proj.forward(x).value();  // (T, 3C)
        for (int64_t head = 0; head < heads; ++head) {
            const Tensor table = Tensor::zeros({T, T});
            for (int64_t t = 0; t < T; ++t) {
                const real* const query = qkv.data() + t * 3 * C + head * D;
                real total = 0;
                for (int64_t s = 0; s <= t; ++s) {
                    const real* const key = qkv.data() + s * 3 * C + C + head * D;
                    real score = 0;
                    for (int64_t d = 0; d < D; ++d) {
                        score += query[d] * key[d];
                    }
                    table.data()[t * T + s] = std::exp(score / std::sqrt(real(D)));
                    total += table.data()[t * T + s];
                }
                for (int64_t s = 0; s <= t; ++s) {
                    table.data()[t * T + s] /= total;
                }
            }
            tables.push_back(table);
        }
        x = block->forward(x, {sequences, routing, {}, {}}, block->draw(nullptr));
    }
    return tables;
}

// One table for each head, a row of them for each block, with names for the tokens.
inline void draw_attention(const Decoder& model, const std::vector<int32_t>& tokens,
                           const std::vector<std::string>& names, const std::string& file) {
    const std::vector<Tensor> tables = attention_weights(model, tokens);
    const size_t heads = size_t(model.settings().heads), blocks = tables.size() / heads;
    const double size = 13, side = size * double(names.size()) + 34;
    Picture picture;
    for (size_t i = 0; i < tables.size(); ++i) {
        const double left = side * double(i % heads) + 20, top = side * double(i / heads) + 46;
        picture.text(left, top - 24, "start",
                     fmt::format("block {}, head {}", i / heads + 1, i % heads + 1));
        picture.table(left, top, size, names, names, [&](size_t row, size_t column) {
            return tables[i].data()[row * names.size() + column];
        });
    }
    picture.save(file, side * double(heads), side * double(blocks) + 30);
}

// Families of masks: four experts of 64 neurons, of which each keeps 16; beside them the share of an
// expert's neurons (row) that another one (column) keeps, too.
inline void draw_families(const std::string& file) {
    Picture picture;
    double y = 30;
    for (const char* const family :
         {"bernoulli", "exact", "partition", "shared:0.5", "blocks:4", "overlap:0.5", "nested"}) {
        Rng rng(14);
        const Tensor masks = draw_masks(family, {.num_experts = 4, .rate = 0.75}, 64, rng);
        picture.text(8, y + 28, "start", family);
        for (size_t i = 0; i < 256; ++i) {
            picture.cell(100 + 8 * double(i % 64), y + 12 * double(i / 64), 7, 10,
                         Picture::colours[i / 64], masks.data()[i] > 0 ? 1 : 0.1);
        }
        picture.table(
            650, y - 2, 13, {"", "", "", ""}, {"", "", "", ""}, [&masks](size_t one, size_t other) {
                const real *const a = masks.data() + 64 * one, *const b = masks.data() + 64 * other;
                return std::inner_product(a, a + 64, b, 0.0) / std::accumulate(a, a + 64, 0.0);
            });
        y += 66;
    }
    picture.save(file, 720, y);
}

}  // namespace smoe
