// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz entry point over a folder of seeds, where there is no libFuzzer: each as it is and at
// every shorter length; at night also with every other value of every byte.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: replay FOLDER [--every-byte]\n", stderr);
        return 2;
    }
    const bool every_byte = argc > 2 && std::string_view(argv[2]) == "--every-byte";
    unsigned long seeds = 0;
    unsigned long inputs = 0;
    const auto take = [&](const std::vector<std::uint8_t>& bytes, std::size_t size) {
        // A copy of its own length, so that a sanitizer sees the first byte behind it.
        const std::vector<std::uint8_t> input(bytes.data(), bytes.data() + size);
        LLVMFuzzerTestOneInput(input.data(), input.size());
        ++inputs;
    };
    for (const auto& seed : std::filesystem::directory_iterator(argv[1])) {
        std::ifstream in(seed.path(), std::ios::binary);
        std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
        for (std::size_t size = 0; size <= bytes.size(); ++size) {
            take(bytes, size);
        }
        for (std::size_t i = 0; every_byte && i < bytes.size(); ++i) {
            const std::uint8_t original = bytes[i];
            for (unsigned value = 0; value < 256; ++value) {
                bytes[i] = static_cast<std::uint8_t>(value);
                take(bytes, bytes.size());
            }
            bytes[i] = original;
        }
        ++seeds;
    }
    std::printf("{\"campaign\":\"replay\",\"seeds\":%lu,\"inputs\":%lu}\n", seeds, inputs);
    return seeds > 0 ? 0 : 1;  // a corpus that went missing is a failure
}
