// SPDX-License-Identifier: Apache-2.0
#include "benches/joulebench/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <utility>

#include "benches/joulebench/net.h"

namespace jw::bench {
namespace {

constexpr Duration end_at_most = seconds(6);

/// In the child: it must not outlive its parent.
void bind_to(pid_t parent) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
}

}  // namespace

Child& Child::operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
}

Child Child::run(const std::function<void()>& role) {
    (void)std::fflush(nullptr);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        bind_to(parent);
        try {
            role();
        } catch (const std::exception& error) {
            (void)std::fprintf(stderr, "joulebench: %s\n", error.what());
            _exit(1);
        }
        _exit(0);
    }
    return Child(pid);
}

Child Child::exec(const std::vector<std::string>& command, const std::string& log) {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& word : command) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    (void)std::fflush(nullptr);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        bind_to(parent);
        const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
        (void)dup2(out, STDOUT_FILENO);
        (void)dup2(out, STDERR_FILENO);
        execv(arguments[0], arguments.data());
        _exit(127);
    }
    return Child(pid);
}

void Child::end() {
    if (pid_ <= 0) {
        return;
    }
    (void)kill(pid_, SIGTERM);
    const Instant deadline = now() + end_at_most;
    while (waitpid(pid_, nullptr, WNOHANG) == 0) {
        if (now() > deadline) {
            (void)kill(pid_, SIGKILL);
        }
        wait(milliseconds(2));
    }
    pid_ = 0;
}

bool Child::running() const {
    siginfo_t info{};
    return pid_ > 0 &&
           waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

Duration Child::cpu_time() const {
    clockid_t clock = 0;
    timespec time{};
    if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        throw std::runtime_error("a process of the bench has ended");
    }
    return {static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000};
}

std::int64_t Child::private_dirty_kb() const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/smaps_rollup");
    std::string word;
    while (in >> word) {
        if (word == "Private_Dirty:") {
            std::int64_t kb = 0;
            in >> kb;
            return kb;
        }
    }
    throw std::runtime_error("memory of the gateway cannot be read; run as root");
}

void wait(Duration duration) {
    (void)poll(nullptr, 0, static_cast<int>((duration.us + 999) / 1000));
}

void wait_for(const std::function<bool()>& condition, const char* what, Duration at_most) {
    const Instant deadline = now() + at_most;
    while (!condition()) {
        if (now() > deadline) {
            throw std::runtime_error(std::string("not in time: ") + what);
        }
        wait(milliseconds(2));
    }
}

}  // namespace jw::bench
