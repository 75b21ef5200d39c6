// The loops. Sums are kept in double even if `real` is float; memory and speed do not matter here.
// Read next: textbook_layout.cpp.
#include "tests/autograd/textbook.h"

#include <array>
#include <cmath>

#include "core/streams.h"

namespace smoe::textbook {
namespace {

// Element (row, col) of x seen as a matrix of its rows.
double at(const Tensor& x, int64_t row, int64_t col) {
    return x.data()[row * x.cols() + col];
}

}  // namespace

Tensor map(const Tensor& x, const std::function<double(double)>& f) {
    const Tensor y = Tensor::empty(x.shape());
    for (int64_t i = 0; i < x.numel(); ++i) {
        y.data()[i] = real(f(x.data()[i]));
    }
    return y;
}

Tensor map(const Tensor& a, const Tensor& b, const std::function<double(double, double)>& f) {
    const Tensor y = Tensor::empty(a.shape());
    for (int64_t i = 0; i < a.numel(); ++i) {
        y.data()[i] = real(f(a.data()[i], b.data()[i % b.numel()]));
    }
    return y;
}

Tensor dropout(const Tensor& x, double p, uint64_t seed) {
    const Tensor y = Tensor::empty(x.shape());
    for (int64_t i = 0; i < x.numel(); ++i) {
        const std::array<uint32_t, 4> words =
            philox(seed, stream_number(Stream::dropout), uint64_t(i / 8));
        const uint32_t word = words[size_t(i % 8) / 2];
        const uint32_t bits = i % 2 == 0 ? word & 0xFFFF : word >> 16;
        y.data()[i] = bits >= p * 65536 ? real(x.data()[i] / (1 - p)) : 0;
    }
    return y;
}

Tensor matmul(const Tensor& a, const Tensor& b) {
    const Tensor y = Tensor::empty({a.size(0), b.size(1)});
    for (int64_t m = 0; m < a.size(0); ++m) {
        for (int64_t n = 0; n < b.size(1); ++n) {
            double total = 0;
            for (int64_t k = 0; k < a.size(1); ++k) {
                total += at(a, m, k) * at(b, k, n);
            }
            y.data()[m * b.size(1) + n] = real(total);
        }
    }
    return y;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const Tensor y = Tensor::empty({x.size(0), weight.size(0)});
    for (int64_t n = 0; n < x.size(0); ++n) {
        for (int64_t o = 0; o < weight.size(0); ++o) {
            double total = bias.defined() ? bias.data()[o] : 0;
            for (int64_t i = 0; i < x.size(1); ++i) {
                total += at(x, n, i) * at(weight, o, i);
            }
            y.data()[n * weight.size(0) + o] = real(total);
        }
    }
    return y;
}

Tensor feed_forward(const std::vector<Tensor>& in, const Tensor& hidden_masks,
                    const Tensor& output_masks, const std::vector<int32_t>& experts) {
    const auto masked = [&](const Tensor& x, const Tensor& masks) {
        return experts.empty() ? x : mask_rows(x, masks, experts);
    };
    const Tensor hidden =
        map(linear(in[0], in[1], in[2]), [](double a) { return std::max(a, 0.0); });
    return masked(linear(masked(hidden, hidden_masks), in[3], in[4]), output_masks);
}

Tensor mask_rows(const Tensor& x, const Tensor& masks, const std::vector<int32_t>& experts) {
    const Tensor y = Tensor::empty(x.shape());
    for (int64_t n = 0; n < x.rows(); ++n) {
        for (int64_t c = 0; c < x.cols(); ++c) {
            y.data()[n * x.cols() + c] = real(at(x, n, c) * at(masks, experts[size_t(n)], c));
        }
    }
    return y;
}

Tensor scale_rows(const Tensor& x, const Tensor& weights) {
    const Tensor y = Tensor::empty(x.shape());
    for (int64_t n = 0; n < x.rows(); ++n) {
        for (int64_t c = 0; c < x.cols(); ++c) {
            y.data()[n * x.cols() + c] = real(at(x, n, c) * double(weights.data()[n]));
        }
    }
    return y;
}

Tensor embedding(const Tensor& weight, const std::vector<int32_t>& ids) {
    const Tensor y = Tensor::empty({int64_t(ids.size()), weight.size(1)});
    for (size_t n = 0; n < ids.size(); ++n) {
        for (int64_t c = 0; c < weight.size(1); ++c) {
            y.data()[int64_t(n) * weight.size(1) + c] = real(at(weight, ids[n], c));
        }
    }
    return y;
}

Tensor pick(const Tensor& x, const std::vector<int32_t>& ids) {
    const Tensor y = Tensor::empty({int64_t(ids.size())});
    for (size_t n = 0; n < ids.size(); ++n) {
        y.data()[n] = real(at(x, int64_t(n), ids[n]));
    }
    return y;
}

Tensor softmax(const Tensor& x) {
    const Tensor y = Tensor::empty(x.shape());
    for (int64_t n = 0; n < x.rows(); ++n) {
        double total = 0;
        for (int64_t c = 0; c < x.cols(); ++c) {
            total += std::exp(at(x, n, c));
        }
        for (int64_t c = 0; c < x.cols(); ++c) {
            y.data()[n * x.cols() + c] = real(std::exp(at(x, n, c)) / total);
        }
    }
    return y;
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
    const Tensor y = Tensor::empty(x.shape());
    const int64_t C = x.cols();
    for (int64_t n = 0; n < x.rows(); ++n) {
        double mean = 0, variance = 0;
        for (int64_t c = 0; c < C; ++c) {
            mean += at(x, n, c) / double(C);
        }
        for (int64_t c = 0; c < C; ++c) {
            variance += (at(x, n, c) - mean) * (at(x, n, c) - mean) / double(C);
        }
        for (int64_t c = 0; c < C; ++c) {
            const double normal = (at(x, n, c) - mean) / std::sqrt(variance + eps);
            y.data()[n * C + c] = real(normal * weight.data()[c] + bias.data()[c]);
        }
    }
    return y;
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
    const Tensor y = Tensor::empty(x.shape());
    const int64_t C = x.cols();
    for (int64_t n = 0; n < x.rows(); ++n) {
        double square = 0;
        for (int64_t c = 0; c < C; ++c) {
            square += at(x, n, c) * at(x, n, c) / double(C);
        }
        for (int64_t c = 0; c < C; ++c) {
            y.data()[n * C + c] = real(at(x, n, c) / std::sqrt(square + eps) * weight.data()[c]);
        }
    }
    return y;
}

Tensor attention(const Tensor& qkv, const std::vector<int64_t>& offsets, int64_t heads) {
    const int64_t C = qkv.size(1) / 3, D = C / heads;
    const Tensor y = Tensor::zeros({qkv.size(0), C});
    for (size_t b = 0; b + 1 < offsets.size(); ++b) {
        for (int64_t head = 0; head < heads; ++head) {
            for (int64_t t = offsets[b]; t < offsets[b + 1]; ++t) {
                std::vector<double> weights;
                double total = 0;
                for (int64_t j = offsets[b]; j <= t; ++j) {
                    double score = 0;
                    for (int64_t d = 0; d < D; ++d) {
                        score += at(qkv, t, head * D + d) * at(qkv, j, C + head * D + d);
                    }
                    weights.push_back(std::exp(score / std::sqrt(double(D))));
                    total += weights.back();
                }
                for (int64_t d = 0; d < D; ++d) {
                    double mixed = 0;
                    for (int64_t j = offsets[b]; j <= t; ++j) {
                        mixed += weights[size_t(j - offsets[b])] / total *
                                 at(qkv, j, 2 * C + head * D + d);
                    }
                    y.data()[t * C + head * D + d] = real(mixed);
                }
            }
        }
    }
    return y;
}

Tensor cross_entropy(const Tensor& logits, const std::vector<int32_t>& targets) {
    const Tensor y = Tensor::empty({logits.size(0)});
    for (int64_t n = 0; n < logits.size(0); ++n) {
        double total = 0;
        for (int64_t v = 0; v < logits.size(1); ++v) {
            total += std::exp(at(logits, n, v));
        }
        y.data()[n] = real(-std::log(std::exp(at(logits, n, targets[size_t(n)])) / total));
    }
    return y;
}

}  // namespace smoe::textbook
