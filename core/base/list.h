// SPDX-License-Identifier: Apache-2.0
#pragma once
// Containers of bounded size: List lives in storage that its owner was given, FixedList in itself.
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "core/base/check.h"

namespace jw {

/// A growing sequence inside a span that somebody else owns. push() says false when it is full.
template <class T>
class List {
  public:
    constexpr List() = default;
    constexpr explicit List(std::span<T> storage) : storage_(storage) {}
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr std::size_t capacity() const { return storage_.size(); }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr bool full() const { return size_ == storage_.size(); }
    [[nodiscard]] constexpr bool push(T item) {
        if (full()) {
            return false;
        }
        storage_[size_++] = std::move(item);
        return true;
    }
    constexpr void pop() {
        CHECK(size_ > 0);
        --size_;
    }
    /// Removes one item and keeps the order of the rest.
    constexpr void remove(std::size_t index) {
        CHECK(index < size_);
        for (std::size_t i = index + 1; i < size_; ++i) {
            storage_[i - 1] = std::move(storage_[i]);
        }
        --size_;
    }
    constexpr void clear() { size_ = 0; }
    constexpr T& operator[](std::size_t index) {
        CHECK(index < size_);
        return storage_[index];
    }
    constexpr const T& operator[](std::size_t index) const {
        CHECK(index < size_);
        return storage_[index];
    }
    constexpr T* begin() { return storage_.data(); }
    constexpr T* end() { return storage_.data() + size_; }
    constexpr const T* begin() const { return storage_.data(); }
    constexpr const T* end() const { return storage_.data() + size_; }
    [[nodiscard]] constexpr std::span<T> items() { return storage_.first(size_); }
    [[nodiscard]] constexpr std::span<const T> items() const { return storage_.first(size_); }

  private:
    std::span<T> storage_;
    std::size_t size_ = 0;
};

/// A growing sequence of at most N items that lives in its owner.
template <class T, std::size_t N>
class FixedList {
  public:
    static constexpr std::size_t capacity() { return N; }
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr bool push(T item) {
        if (size_ == N) {
            return false;
        }
        items_[size_++] = std::move(item);
        return true;
    }
    /// Removes one item and keeps the order of the rest.
    constexpr void remove(std::size_t index) {
        CHECK(index < size_);
        for (std::size_t i = index + 1; i < size_; ++i) {
            items_[i - 1] = std::move(items_[i]);
        }
        --size_;
    }
    constexpr void clear() { size_ = 0; }
    constexpr T& operator[](std::size_t index) {
        CHECK(index < size_);
        return items_[index];
    }
    constexpr const T& operator[](std::size_t index) const {
        CHECK(index < size_);
        return items_[index];
    }
    constexpr T* begin() { return items_.data(); }
    constexpr T* end() { return items_.data() + size_; }
    constexpr const T* begin() const { return items_.data(); }
    constexpr const T* end() const { return items_.data() + size_; }
    [[nodiscard]] constexpr std::span<const T> items() const {
        return std::span<const T>(items_).first(size_);
    }

  private:
    std::array<T, N> items_{};
    std::size_t size_ = 0;
};

}  // namespace jw
