// SPDX-License-Identifier: Apache-2.0
#pragma once
// Kill points: what a call of the daemon is about, in words ("sync outbox", "send broker PUBLISH
// readings"), so that a test can say where the daemon is to die. tests/e2e/kill_points.py has the
// table.
#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <string_view>

#include "tests/e2e/trouble.h"

/// When the process dies at its point: before the call, in the middle of what it writes, behind it.
enum class Moment : unsigned { before, half, after };

/// A name of bounded length; no memory is taken, for this runs inside of any call.
class PointName {
  public:
    PointName& operator<<(std::string_view words);
    [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

  private:
    std::array<char, 48> text_{};
    std::size_t size_ = 0;
};

/// Whether a test waits for a point; otherwise no name needs to be found.
bool point_wanted();
/// Whether the process is to die at this call now; counts it if its name begins with the point's.
bool point_reached(const PointName& name);
/// When, if so.
Moment point_moment();

// The names of calls; empty where they are nobody's business.
PointName name_of_open(const char* path);
PointName name_of_file(const char* verb, int file);
PointName name_of_file_write(int file, const void* data, std::size_t size, off_t at);
PointName name_of_file_read(int file, off_t at);
PointName name_of_connect(const sockaddr* address);
PointName name_of_send(int socket, const void* data, std::size_t size);
/// What was received; keeps count of where in the broker's stream it stands.
PointName name_of_receive(int socket, const void* data, std::size_t size);

/// A call that takes bytes, with a kill before it, in its middle, or behind it.
template <class Call>
ssize_t at_point(const PointName& name, std::size_t size, Call call) {
    if (!point_reached(name)) {
        return call(size);
    }
    if (point_moment() == Moment::half) {
        (void)call(size / 2);
    } else if (point_moment() == Moment::after) {
        (void)call(size);
    }
    die();
}
