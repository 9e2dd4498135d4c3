// SPDX-License-Identifier: Apache-2.0
// EnergyFile: whatever is cut or rots, energy is known and never falls.
#include "host/history/energy_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "host/fakes.h"

namespace jw {
namespace {

class EnergyFileTest : public ::testing::Test {
  protected:
    std::string path() { return folder_.path() + "/energy.store"; }
    static std::vector<BatteryEnergy> all(std::int64_t wh) {
        return {{Name("battery"), wh, wh / 2}, {Name("spare"), 5, 0}};
    }
    std::string bytes() {
        std::ifstream file(path(), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void put_bytes(const std::string& bytes) {
        std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
    }
    test::TempFolder folder_;
};

TEST_F(EnergyFileTest, knows_nothing_before_the_first_write) {
    EnergyFile file(path());
    const auto found = file.read();
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->empty());
}

TEST_F(EnergyFileTest, gives_back_what_was_written_last) {
    EnergyFile file(path());
    for (std::int64_t wh = 1; wh < 6; ++wh) {
        ASSERT_TRUE(file.write(all(wh)));
        EnergyFile again(path());
        EXPECT_EQ(*again.read(), all(wh));
    }
}

TEST_F(EnergyFileTest, goes_on_after_a_restart) {
    for (std::int64_t wh = 1; wh < 6; ++wh) {
        EnergyFile file(path());
        ASSERT_TRUE(file.read());
        ASSERT_TRUE(file.write(all(wh)));
        EXPECT_EQ(*EnergyFile(path()).read(), all(wh));
    }
}

TEST_F(EnergyFileTest, a_write_that_is_cut_at_any_byte_leaves_the_one_before) {
    EnergyFile file(path());
    ASSERT_TRUE(file.write(all(100)));
    ASSERT_TRUE(file.write(all(200)));
    const std::string before = bytes();
    ASSERT_TRUE(file.write(all(300)));
    const std::string after = bytes();
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t half : {std::size_t{0}, EnergyFile::half_size}) {
        for (std::size_t size = 0; size <= 200; ++size) {
            std::string cut = before;
            std::copy_n(after.begin() + static_cast<std::ptrdiff_t>(half),
                        size,
                        cut.begin() + static_cast<std::ptrdiff_t>(half));
            put_bytes(cut);
            const auto found = EnergyFile(path()).read();
            ASSERT_TRUE(found) << size;
            EXPECT_TRUE(*found == all(200) || *found == all(300)) << size;
        }
    }
}

TEST_F(EnergyFileTest, one_half_that_rots_costs_one_write_and_both_are_told) {
    EnergyFile file(path());
    ASSERT_TRUE(file.write(all(100)));
    ASSERT_TRUE(file.write(all(200)));
    std::string rotten = bytes();
    rotten[20] = static_cast<char>(rotten[20] ^ 1);
    put_bytes(rotten);
    EXPECT_EQ(*EnergyFile(path()).read(), all(100));
    rotten[EnergyFile::half_size + 20] = static_cast<char>(rotten[EnergyFile::half_size + 20] ^ 1);
    put_bytes(rotten);
    EXPECT_EQ(EnergyFile(path()).read().code(), Code::bad_checksum);
}

TEST_F(EnergyFileTest, a_disk_that_refuses_leaves_what_was_there) {
    EnergyFile file(folder_.path() + "/missing/energy.store");
    EXPECT_FALSE(file.write(all(1)));
    EnergyFile there(path());
    ASSERT_TRUE(there.write(all(1)));
    EXPECT_EQ(there.write(std::vector<BatteryEnergy>(EnergyFile::batteries_max + 1)).code(),
              Code::out_of_range);
    EXPECT_EQ(*there.read(), all(1));
}

TEST_F(EnergyFileTest, a_writer_that_is_killed_at_any_moment_loses_nothing_that_was_told) {
    std::int64_t known = 0;
    for (int trial = 0; trial < 10; ++trial) {
        std::array<int, 2> told{};
        ASSERT_EQ(pipe(told.data()), 0);
        const pid_t child = fork();
        if (child == 0) {
            EnergyFile file(path());
            (void)file.read();
            for (std::int64_t wh = known + 1;; ++wh) {
                if (!file.write(all(wh)) || ::write(told[1], &wh, sizeof wh) != sizeof wh) {
                    _exit(1);
                }
            }
        }
        close(told[1]);
        std::int64_t last = known;
        while (last < known + 20 && read(told[0], &last, sizeof last) > 0) {
        }
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        while (read(told[0], &last, sizeof last) > 0) {
        }
        close(told[0]);
        const auto found = EnergyFile(path()).read();
        ASSERT_TRUE(found);
        ASSERT_EQ(found->size(), 2U);
        EXPECT_GE((*found)[0].charge_wh, last) << "energy fell";
        known = (*found)[0].charge_wh;
    }
    EXPECT_GE(known, 200);
}

}  // namespace
}  // namespace jw
