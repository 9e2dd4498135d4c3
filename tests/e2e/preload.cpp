// SPDX-License-Identifier: Apache-2.0
// Loaded before libc by the end-to-end tests: lets the real daemon live with a clock that nobody
// set, a medium that is slow or read-only, and a kill between two of its steps. What happens stands
// in a file that the test maps, too ($JOULEWAY_TROUBLE).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

/// As faulty_system.py packs it.
struct Trouble {
    std::atomic<std::uint32_t> sync_ms;      // what each sync takes longer
    std::atomic<std::uint32_t> clock_unset;  // 1: the wall clock begins in 1970, as after power-on
    std::atomic<std::uint32_t> write_error;  // errno of each write to a file; 0: none
    std::atomic<std::uint32_t> counting;     // 1: the steps below are counted
    std::atomic<std::uint32_t> steps;        // writes, syncs, sends so far
    std::atomic<std::uint32_t> kill_at;      // the step before which the process dies; 0: none
};

Trouble& trouble() {
    static Trouble* mapped = [] {
        const char* path = std::getenv("JOULEWAY_TROUBLE");
        const int file = open(path != nullptr ? path : "", O_RDWR | O_CLOEXEC);
        void* memory = mmap(nullptr, sizeof(Trouble), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED) {
            std::abort();
        }
        return static_cast<Trouble*>(memory);
    }();
    return *mapped;
}

template <class Function>
Function* next(Function* /*of*/, const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void step() {
    if (trouble().counting != 0 && ++trouble().steps == trouble().kill_at) {
        (void)kill(getpid(), SIGKILL);
        (void)pause();
    }
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the names of libc are its own.
extern "C" {

ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
    static auto* const real = next(&pwrite, "pwrite");
    step();
    if (const auto error = static_cast<int>(trouble().write_error); error != 0) {
        errno = error;
        return -1;
    }
    return real(file, data, size, at);
}

ssize_t pwrite64(int file, const void* data, size_t size, off_t at) {
    return pwrite(file, data, size, at);
}

int fdatasync(int file) {
    static auto* const real = next(&fdatasync, "fdatasync");
    step();
    if (const std::uint32_t wait_ms = trouble().sync_ms; wait_ms != 0) {
        const timespec wait{wait_ms / 1000, static_cast<long>(wait_ms % 1000) * 1'000'000};
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, nullptr);
    }
    return real(file);
}

ssize_t send(int socket, const void* data, size_t size, int flags) {
    static auto* const real = next(&send, "send");
    step();
    return real(socket, data, size, flags);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
    static auto* const real = next(&sendmsg, "sendmsg");
    step();
    return real(socket, message, flags);
}

ssize_t write(int file, const void* data, size_t size) {
    static auto* const real = next(&write, "write");
    step();
    return real(file, data, size);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
    static auto* const real = next(&clock_gettime, "clock_gettime");
    const bool unset = clock == CLOCK_REALTIME && trouble().clock_unset != 0;
    return real(unset ? CLOCK_BOOTTIME : clock, now);
}

int adjtimex(timex* state) noexcept {
    static auto* const real = next(&adjtimex, "adjtimex");
    const int result = real(state);
    return trouble().clock_unset != 0 ? TIME_ERROR : result == TIME_ERROR ? TIME_OK : result;
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
