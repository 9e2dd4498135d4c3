// SPDX-License-Identifier: Apache-2.0
#pragma once
// The processes of a bench: what they cost, what they share, where they keep files.
#include <sys/mman.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace jw::bench {

/// A child process; ends with its owner, and when this process ends.
class Child {
  public:
    Child() = default;
    /// Runs `role` in a fork of this process, which must have one thread.
    static Child run(const std::function<void()>& role);
    /// Runs a program; what it prints goes to the file `log`.
    static Child exec(const std::vector<std::string>& command, const std::string& log);
    Child(Child&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
    Child& operator=(Child&& other) noexcept;
    ~Child() { end(); }

    /// Asks it to end and waits for that; after five seconds it is killed.
    void end();
    [[nodiscard]] bool running() const;
    [[nodiscard]] pid_t pid() const { return pid_; }
    /// User and system time of all its threads so far (the clock behind /proc/PID/stat, without
    /// the rounding to ticks).
    [[nodiscard]] Duration cpu_time() const;
    /// Memory that is its own, in KiB (Private_Dirty of /proc/PID/smaps_rollup).
    [[nodiscard]] std::int64_t private_dirty_kb() const;

  private:
    explicit Child(pid_t pid) : pid_(pid) {}
    pid_t pid_ = 0;
};

/// A T that children share with their parent.
template <class T>
class Shared {
  public:
    Shared() {
        void* memory =
            mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            throw std::runtime_error("no memory to share");
        }
        value_ = new (memory) T();
    }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { munmap(value_, sizeof(T)); }
    T* operator->() const { return value_; }
    T& operator*() const { return *value_; }

  private:
    T* value_ = nullptr;
};

/// Waits for `condition`, asking often. Throws with `what` after `at_most`.
void wait_for(const std::function<bool()>& condition, const char* what, Duration at_most);
void wait(Duration duration);

}  // namespace jw::bench
