// Reports as bytes, and their sums. All numbers travel as doubles, which hold every count exactly.
// Read next: shards.cpp.
#include "models/training/shard_report.h"

#include <cmath>
#include <cstring>

#include "core/processes.h"

namespace smoe {
namespace {

class Writer {
  public:
    void number(double value) {
        char bytes[sizeof value];
        std::memcpy(bytes, &value, sizeof value);
        text_.append(bytes, sizeof value);
    }
    void text(const std::string& value) {
        number(double(value.size()));
        text_ += value;
    }
    const std::string& bytes() const { return text_; }

  private:
    std::string text_;
};

class Reader {
  public:
    explicit Reader(const std::string& bytes) : bytes_(bytes) {}
    double number() {
        double value = 0;
        std::memcpy(&value, take(sizeof value), sizeof value);
        return value;
    }
    size_t size() { return size_t(number()); }
    std::string text() {
        const size_t length = size();
        return {take(length), length};
    }
    bool at_end() const { return place_ == bytes_.size(); }

  private:
    const char* take(size_t count) {
        check(count <= bytes_.size() - place_, "processes: a report of a shard is too short");
        place_ += count;
        return bytes_.data() + place_ - count;
    }
    const std::string& bytes_;
    size_t place_ = 0;
};

void write(const ShardReport& report, Writer& to) {
    to.number(report.loss);
    to.text(report.failure);
    to.number(double(report.router_losses.size()));
    for (const auto& [name, loss] : report.router_losses) {
        to.text(name);
        to.number(loss);
    }
    to.number(double(report.expert_rows.size()));
    for (const std::vector<int64_t>& rows : report.expert_rows) {
        to.number(double(rows.size()));
        for (const int64_t count : rows) {
            to.number(double(count));
        }
    }
}

ShardReport read(Reader& from) {
    ShardReport report{.loss = from.number(), .failure = from.text()};
    report.router_losses.resize(from.size());
    for (auto& [name, loss] : report.router_losses) {
        name = from.text();
        loss = from.number();
    }
    report.expert_rows.resize(from.size());
    for (std::vector<int64_t>& rows : report.expert_rows) {
        rows.resize(from.size());
        for (int64_t& count : rows) {
            count = int64_t(from.number());
        }
    }
    return report;
}

}  // namespace

bool ShardReport::is_finite() const {
    double total = loss;
    for (const auto& [name, of_router] : router_losses) {
        total += of_router;
    }
    return std::isfinite(total);
}

std::vector<ShardReport> from_all(const std::vector<ShardReport>& own) {
    if (process_count() == 1) {
        return own;
    }
    Writer writer;
    for (const ShardReport& report : own) {
        write(report, writer);
    }
    std::vector<ShardReport> reports;
    for (const std::string& bytes : all_gather(writer.bytes())) {
        for (Reader reader(bytes); !reader.at_end();) {
            reports.push_back(read(reader));
        }
    }
    return reports;
}

void add_losses(NamedLosses& to, const NamedLosses& from) {
    to.resize(from.size());
    for (size_t i = 0; i < from.size(); ++i) {
        to[i] = {from[i].first, to[i].second + from[i].second};
    }
}

void add_rows(std::vector<int64_t>& to, const std::vector<int64_t>& from) {
    to.resize(from.size());
    for (size_t i = 0; i < from.size(); ++i) {
        to[i] += from[i];
    }
}

}  // namespace smoe
