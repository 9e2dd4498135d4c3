// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz entry point over a folder of seeds, where there is no libFuzzer.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    if (argc != 2) {
        return 2;
    }
    int count = 0;
    for (const auto& seed : std::filesystem::directory_iterator(argv[1])) {
        std::ifstream in(seed.path(), std::ios::binary);
        const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        ++count;
    }
    return count > 0 ? 0 : 1;  // a corpus that went missing is a failure
}
