// SPDX-License-Identifier: Apache-2.0
// Loaded before libc by the end-to-end tests: lets the real daemon live with a clock that nobody
// set, a medium that is slow or read-only, and a kill between two of its steps or at a named point.
// What happens stands in a file that the test maps, too ($JOULEWAY_TROUBLE).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <ctime>

#include "tests/e2e/kill_points.h"
#include "tests/e2e/trouble.h"

void* behind(const char* name) {
    return dlsym(RTLD_NEXT, name);
}

Trouble& trouble() {
    static Trouble* mapped = [] {
        const char* path = std::getenv("JOULEWAY_TROUBLE");
        const int file = next(&open, "open")(path != nullptr ? path : "", O_RDWR | O_CLOEXEC);
        void* memory = mmap(nullptr, sizeof(Trouble), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED) {
            std::abort();
        }
        return static_cast<Trouble*>(memory);
    }();
    return *mapped;
}

void die() {
    (void)kill(getpid(), SIGKILL);
    for (;;) {
        (void)pause();
    }
}

namespace {

void step() {
    if (trouble().counting != 0 && ++trouble().steps == trouble().kill_at) {
        die();
    }
}

void wait(std::uint32_t wait_ms) {
    if (wait_ms != 0) {
        const timespec time{wait_ms / 1000, static_cast<long>(wait_ms % 1000) * 1'000'000};
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
    }
}

/// A call without bytes, with a kill before it or behind it.
template <class Call>
auto at_call(const PointName& name, Call call) {
    if (!point_reached(name)) {
        return call();
    }
    if (point_moment() != Moment::before) {
        (void)call();
    }
    die();
}

/// Bytes that came in: only then it is known what they are.
ssize_t received(int socket, const void* data, ssize_t size) {
    if (size > 0 && point_reached(name_of_receive(socket, data, static_cast<std::size_t>(size)))) {
        die();
    }
    return size;
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the names of libc are its own.
extern "C" {

int open(const char* path, int flags, ...) {
    static auto* const real = next(&open, "open");
    va_list more;
    va_start(more, flags);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it does not see va_start().
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return at_call(name_of_open(path), [&] { return real(path, flags, mode); });
}

int ftruncate(int file, off_t size) noexcept {
    static auto* const real = next(&ftruncate, "ftruncate");
    return at_call(name_of_file("truncate", file), [&] { return real(file, size); });
}

ssize_t pread(int file, void* data, size_t size, off_t at) {
    static auto* const real = next(&pread, "pread");
    wait(trouble().read_ms);
    return at_call(name_of_file_read(file, at), [&] { return real(file, data, size, at); });
}

ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
    static auto* const real = next(&pwrite, "pwrite");
    step();
    if (const auto error = static_cast<int>(trouble().write_error); error != 0) {
        errno = error;
        return -1;
    }
    return at_point(name_of_file_write(file, data, size, at), size, [&](size_t part) {
        return real(file, data, part, at);
    });
}

ssize_t pwrite64(int file, const void* data, size_t size, off_t at) {
    return pwrite(file, data, size, at);
}

int fdatasync(int file) {
    static auto* const real = next(&fdatasync, "fdatasync");
    step();
    wait(trouble().sync_ms);
    return at_call(name_of_file("sync", file), [&] { return real(file); });
}

int fsync(int file) {
    static auto* const real = next(&fsync, "fsync");
    return at_call(name_of_file("sync", file), [&] { return real(file); });
}

int connect(int socket, const sockaddr* address, socklen_t size) {
    static auto* const real = next(&connect, "connect");
    return at_call(name_of_connect(address), [&] { return real(socket, address, size); });
}

ssize_t recv(int socket, void* data, size_t size, int flags) {
    static auto* const real = next(&recv, "recv");
    return received(socket, data, real(socket, data, size, flags));
}

ssize_t read(int file, void* data, size_t size) {
    static auto* const real = next(&read, "read");
    return received(file, data, real(file, data, size));
}

ssize_t send(int socket, const void* data, size_t size, int flags) {
    static auto* const real = next(&send, "send");
    step();
    return at_point(name_of_send(socket, data, size), size, [&](size_t part) {
        return real(socket, data, part, flags);
    });
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
    static auto* const real = next(&sendmsg, "sendmsg");
    step();
    return real(socket, message, flags);
}

ssize_t write(int file, const void* data, size_t size) {
    static auto* const real = next(&write, "write");
    step();
    return at_point(
        name_of_send(file, data, size), size, [&](size_t part) { return real(file, data, part); });
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
