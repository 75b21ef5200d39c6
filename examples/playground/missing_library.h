// What the library of Emscripten 3.1.6, Debian 12's, lacks of C++20, as far as the sources of the
// module use it; make includes it before each of them. A newer library has all of it, and then this
// adds nothing.
// Read next: module.cpp.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>

#if defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 14000

namespace std {

template <class To, class From>
constexpr To bit_cast(const From& from) noexcept {
    return __builtin_bit_cast(To, from);
}

namespace ranges {

template <class Range, class Value, class Projection = identity>
auto find(Range&& range, const Value& value, Projection projection = {}) {
    return std::find_if(std::begin(range), std::end(range),
                        [&](const auto& one) { return std::invoke(projection, one) == value; });
}

template <class Range, class Predicate>
auto find_if(Range&& range, Predicate predicate) {
    return std::find_if(std::begin(range), std::end(range), predicate);
}

template <class Range, class Predicate>
auto find_if_not(Range&& range, Predicate predicate) {
    return std::find_if_not(std::begin(range), std::end(range), predicate);
}

template <class Range, class Value>
auto lower_bound(Range&& range, const Value& value) {
    return std::lower_bound(std::begin(range), std::end(range), value);
}

template <class Range, class Value>
auto upper_bound(Range&& range, const Value& value) {
    return std::upper_bound(std::begin(range), std::end(range), value);
}

template <class Range, class Value>
auto count(Range&& range, const Value& value) {
    return std::count(std::begin(range), std::end(range), value);
}

template <class Range, class Predicate>
auto count_if(Range&& range, Predicate predicate) {
    return std::count_if(std::begin(range), std::end(range), predicate);
}

template <class Range, class Predicate>
bool any_of(Range&& range, Predicate predicate) {
    return std::any_of(std::begin(range), std::end(range), std::ref(predicate));
}

template <class Range, class Predicate>
bool all_of(Range&& range, Predicate predicate) {
    return std::all_of(std::begin(range), std::end(range), std::ref(predicate));
}

template <class Range, class To>
auto copy(Range&& range, To to) {
    return std::copy(std::begin(range), std::end(range), to);
}

template <class Range, class To, class Function>
auto transform(Range&& range, To to, Function function) {
    return std::transform(std::begin(range), std::end(range), to, function);
}

template <class Range>
void sort(Range&& range) {
    std::sort(std::begin(range), std::end(range));
}

template <class Range, class Less>
void stable_sort(Range&& range, Less less) {
    std::stable_sort(std::begin(range), std::end(range), less);
}

template <class Range>
auto min_element(Range&& range) {
    return std::min_element(std::begin(range), std::end(range));
}

template <class Range>
auto max_element(Range&& range) {
    return std::max_element(std::begin(range), std::end(range));
}

}  // namespace ranges
}  // namespace std

#endif
