// SPDX-License-Identifier: Apache-2.0
#include "core/task/store_audit.h"

#include <string_view>

#include "core/base/test.h"

using namespace jw;

namespace {

StoreNumbers sound() {
    StoreNumbers numbers;
    numbers.epoch = 7;
    StoreNumbers::Class& of = numbers.classes[3];
    of.appended = 100;
    of.accepted = 90;
    of.released = 20;
    of.taken = 60;
    of.refused = 5;
    of.confirmed[0] = 80;
    of.durable[0] = 70;
    return numbers;
}

/// What is said after `change` was made to sound numbers; empty: nothing.
template <class Change>
std::string_view said(Change&& change) {
    StoreNumbers now = sound();
    change(now, now.classes[3]);
    const char* const breach = first_breach(sound(), now);
    return breach == nullptr ? std::string_view() : std::string_view(breach, 4);
}

using Class = StoreNumbers::Class;

}  // namespace

TEST(numbers_that_rise_together_are_sound) {
    EXPECT(said([](StoreNumbers&, Class&) {}).empty());
    EXPECT(said([](StoreNumbers&, Class& of) {
               of.appended += 3;  // two taken, and one whose writing failed
               of.taken += 2;
               of.refused += 4;
               of.accepted += 2;
               of.confirmed[0] = 92;
           }).empty());
}

TEST(a_number_that_falls_is_found) {
    EXPECT(said([](StoreNumbers&, Class& of) { of.appended = 95; }) == "I-01");
    EXPECT(said([](StoreNumbers&, Class& of) { of.accepted = 89; }) == "I-01");
}

TEST(a_cursor_beyond_what_was_appended_is_found) {
    EXPECT(said([](StoreNumbers&, Class& of) { of.accepted = 101; }) == "I-02");
    EXPECT(said([](StoreNumbers&, Class& of) { of.released = 101; }) == "I-02");
    EXPECT(said([](StoreNumbers&, Class& of) { of.released = 19; }) == "I-02");
    EXPECT(said([](StoreNumbers&, Class& of) { of.confirmed[0] = 101; }) == "I-02");
    EXPECT(said([](StoreNumbers&, Class& of) { of.confirmed[0] = 79; }) == "I-02");
    EXPECT(said([](StoreNumbers&, Class& of) { of.durable[0] = 81; }) == "I-02");
}

TEST(numbers_without_records_are_found_but_not_over_a_new_epoch) {
    EXPECT(said([](StoreNumbers&, Class& of) { of.appended += 1; }) == "I-03");
    EXPECT(said([](StoreNumbers&, Class& of) { of.taken += 1; }) == "I-03");
    EXPECT(said([](StoreNumbers& all, Class& of) {
               of.appended += 50;
               all.epoch = 8;
           }).empty());
}
