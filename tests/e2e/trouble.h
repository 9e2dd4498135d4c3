// SPDX-License-Identifier: Apache-2.0
#pragma once
// Trouble: what the end-to-end tests ask of the preloaded library, in a file that both map.
#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>

/// As faulty_system.py packs it.
struct Trouble {
    std::atomic<std::uint32_t> sync_ms;       // what each sync takes longer
    std::atomic<std::uint32_t> read_ms;       // what each read of a file at a place takes longer
    std::atomic<std::uint32_t> clock_unset;   // 1: the wall clock begins in 1970, as after power-on
    std::atomic<std::uint32_t> write_error;   // errno of each write to a file; 0: none
    std::atomic<std::uint32_t> counting;      // 1: the steps below are counted
    std::atomic<std::uint32_t> steps;         // writes, syncs, sends so far
    std::atomic<std::uint32_t> kill_at;       // the step before which the process dies; 0: none
    std::atomic<std::uint32_t> broker_port;   // to tell sockets apart
    std::atomic<std::uint32_t> web_port;      // likewise
    std::atomic<std::uint32_t> segment_size;  // bytes, to tell the parts of the store apart
    std::atomic<std::uint32_t> point_nth;   // the process dies when it comes there so often; 0: not
    std::atomic<std::uint32_t> point_hits;  // how often it came there
    std::atomic<std::uint32_t> point_moment;  // a Moment
    std::atomic<std::uint32_t> point_waits;   // 1: it is not counted before a call named `since`
    std::array<char, 48> point;               // the kill point by its name, ends with a zero
    std::array<char, 48> since;
};

Trouble& trouble();

[[noreturn]] void die();

/// The function of libc that the one of this library stands before.
void* behind(const char* name);
template <class Function>
Function* next(Function* /*of*/, const char* name) {
    return reinterpret_cast<Function*>(behind(name));
}
