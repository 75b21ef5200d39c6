// What processes do with messages: gather, hand on, and agree on failures. Everyone sends to
// everyone, which is as little traffic as there can be where all need all of it.
// Read next: processes_mpi.cpp, where messages become MPI's; processes_single.cpp.
#include "core/processes.h"

#include <new>
#include <optional>

namespace smoe {
namespace {

bool failing = false;

// Every process's number, by rank.
std::vector<uint64_t> numbers_of_all(uint64_t own) {
    std::vector<uint64_t> numbers(static_cast<size_t>(process_count()));
    numbers[size_t(process_rank())] = own;
    std::vector<size_t> borders;
    for (size_t r = 0; r <= numbers.size(); ++r) {
        borders.push_back(r * sizeof(uint64_t));
    }
    all_gather(std::as_writable_bytes(std::span(numbers)), borders);
    return numbers;
}

}  // namespace

void all_gather(std::span<std::byte> bytes, std::span<const size_t> borders) {
    const auto part = [&](int rank) {
        const size_t begin = borders[size_t(rank)];
        return bytes.subspan(begin, borders[size_t(rank) + 1] - begin);
    };
    Transfer transfer;
    // Each begins with its right neighbour, so that not all send to the same one first.
    for (int step = 1; step < process_count(); ++step) {
        const int right = (process_rank() + step) % process_count();
        const int left = (process_rank() + process_count() - step) % process_count();
        transfer.receive(left, part(left));
        transfer.send(right, part(process_rank()));
    }
    transfer.wait();
}

std::vector<std::string> all_gather(const std::string& own) {
    const std::vector<uint64_t> lengths = numbers_of_all(own.size());
    std::vector<size_t> borders = {0};
    for (const uint64_t length : lengths) {
        borders.push_back(borders.back() + size_t(length));
    }
    std::string all(borders.back(), '\0');
    own.copy(all.data() + borders[size_t(process_rank())], own.size());
    all_gather(std::as_writable_bytes(std::span(all)), borders);
    std::vector<std::string> texts;
    for (size_t r = 0; r + 1 < borders.size(); ++r) {
        texts.push_back(all.substr(borders[r], borders[r + 1] - borders[r]));
    }
    return texts;
}

std::string from_first(const std::string& text) {
    return all_gather(process_rank() == 0 ? text : std::string()).front();
}

void together(Borrowed<> body) {
    if (process_count() == 1) {
        body();
        return;
    }
    std::optional<std::string> error;
    try {
        body();
    } catch (const std::bad_alloc&) {
        error = "not enough memory";
    } catch (const std::exception& thrown) {
        error = thrown.what();
    }
    // One character more than the error, so that an empty one is one, too.
    const std::vector<std::string> errors = all_gather(error ? "!" + *error : std::string());
    for (size_t r = 0; r < errors.size(); ++r) {
        if (!errors[r].empty()) {
            const bool everywhere = std::equal(errors.begin() + 1, errors.end(), errors.begin());
            fail_together("{}{}", everywhere ? "" : process_name(int(r)) + ": ",
                          errors[r].substr(1));
        }
    }
}

void first_alone(Borrowed<> body) {
    together([&] {
        if (process_rank() == 0) {
            body();
        }
    });
}

bool failing_together() {
    return failing;
}

void detail::set_failing_together() {
    failing = process_count() > 1;
}

}  // namespace smoe
