// SPDX-License-Identifier: Apache-2.0
#pragma once
// Memory of one configuration: handed out once while a program starts or reloads, then sealed.
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "core/base/check.h"

namespace jw {

/// Hands out default-constructed arrays and objects from one block that the program owns. Nothing
/// is given back singly; the program drops the block as a whole. Running out is a programmer error,
/// since the program computed the size from the same settings.
class Arena {
  public:
    explicit Arena(std::span<std::byte> block) : block_(block) {}

    template <class T>
    std::span<T> array(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T>, "an arena never runs destructors");
        T* first = static_cast<T*>(room(sizeof(T) * count, alignof(T)));
        for (std::size_t i = 0; i < count; ++i) {
            ::new (static_cast<void*>(first + i)) T();
        }
        return {first, count};
    }
    template <class T, class... Arguments>
    T& make(Arguments&&... arguments) {
        static_assert(std::is_trivially_destructible_v<T>, "an arena never runs destructors");
        return *::new (room(sizeof(T), alignof(T))) T(std::forward<Arguments>(arguments)...);
    }
    /// From here on asking for memory is a programmer error.
    void seal() { sealed_ = true; }
    [[nodiscard]] std::size_t used() const { return used_; }

  private:
    void* room(std::size_t size, std::size_t alignment) {
        CHECK(!sealed_);
        const auto base = reinterpret_cast<std::uintptr_t>(block_.data());
        const std::size_t padding = (alignment - (base + used_) % alignment) % alignment;
        CHECK(padding <= block_.size() - used_ && size <= block_.size() - used_ - padding);
        used_ += padding;
        void* place = block_.data() + used_;
        used_ += size;
        return place;
    }

    std::span<std::byte> block_;
    std::size_t used_ = 0;
    bool sealed_ = false;
};

}  // namespace jw
