// SPDX-License-Identifier: Apache-2.0
// Commands where the journal, the device, the clock or the order stands in the way.
#include <string_view>

#include "core/base/test.h"
#include "core/task/commands.h"
#include "core/task/commands_scene.h"

using namespace jw;
using namespace jw::test;

namespace {

void submit(Life& life, const Command& c, CommandSource source = CommandSource::remote) {
    EXPECT(life.commands.submit(c, source, noon, life.now) == ResultCode::executed);
}

Command numbered(const char* id, std::uint64_t counter) {
    Command c = command(id);
    c.counter = counter;
    return c;
}

/// Answers the journal's next sync.
void answer(Life& life, bool passed) {
    SyncTicket ticket = 0;
    EXPECT(journal_bytes.take(ticket));
    life.commands.synced(ticket, passed ? Status(done) : Status(JW_FAIL(internal)), life.now);
}

TEST(a_command_that_cannot_be_written_down_is_not_carried_out) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    journal_bytes.fail_writes = 1;
    submit(life, command());
    life.run();
    EXPECT(executed == 0 && !life.asked);
    EXPECT(life.cleared == 1 && life.last == ResultCode::busy && !life.told.text.empty());
    EXPECT(life.outbox.accepted_to(RecordClass::result) == 1);
}

TEST(a_command_whose_sync_fails_is_not_carried_out) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    submit(life, command());
    answer(life, false);
    EXPECT(!life.asked);
    life.run();
    EXPECT(executed == 0 && life.cleared == 1 && life.last == ResultCode::busy);
    submit(life, numbered("c-2", 8));
    life.run();
    EXPECT(executed == 1 && life.last == ResultCode::executed);
}

TEST(a_result_is_told_only_once_its_end_is_written_down) {
    for (const bool write_fails : {false, true}) {
        fresh_media();
        int executed = 0;
        Life life(executed);
        submit(life, command());
        answer(life, true);
        EXPECT(life.asked);
        journal_bytes.fail_writes = write_fails ? 1 : 0;
        life.commands.acted("plug", ResultCode::executed, 1, life.now);
        if (!write_fails) {
            answer(life, false);
        }
        EXPECT(life.commands.jobs()[0].step == Commands::Step::ending);
        (void)life.commands.step(noon, life.now);
        SyncTicket none = 0;
        EXPECT(!journal_bytes.take(none));  // not before a second has passed
        life.now = life.now + seconds(1);
        (void)life.commands.step(noon, life.now);
        EXPECT(life.outbox.appended_to(RecordClass::result) == 0);
        answer(life, true);
        EXPECT(life.outbox.appended_to(RecordClass::result) == 1);
        life.asked = false;
        life.run();
        EXPECT(life.cleared == 1 && life.last == ResultCode::executed && life.told.value == 1);
    }
}

TEST(a_device_that_refuses_at_once_ends_the_command) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    life.act_code = ResultCode::device_refused;
    submit(life, command());
    life.run();
    EXPECT(life.cleared == 1 && life.last == ResultCode::device_refused && !life.told.value);
    EXPECT(life.journal.find("c-1")->phase == CommandPhase::reported);
}

TEST(the_answer_of_another_device_ends_nothing) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    submit(life, command());
    life.commands.acted("plug", ResultCode::executed, 1, life.now);  // it was not asked yet
    EXPECT(life.commands.jobs()[0].step == Commands::Step::beginning);
    answer(life, true);
    life.commands.acted("meter", ResultCode::executed, 1, life.now);
    EXPECT(life.commands.jobs()[0].step == Commands::Step::acting);
    life.commands.acted("plug", ResultCode::not_confirmed, 0, life.now);
    life.asked = false;
    life.run();
    EXPECT(life.cleared == 1 && life.last == ResultCode::not_confirmed && life.told.value == 0);
}

TEST(a_result_that_finds_no_room_is_tried_again_until_it_does) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    submit(life, command());
    answer(life, true);
    life.asked = false;
    life.commands.acted("plug", ResultCode::executed, 1, life.now);
    records.fail_writes = 1;
    answer(life, true);
    EXPECT(life.commands.jobs()[0].record.seq == 0);
    life.run();
    EXPECT(life.cleared == 1 && life.commands.jobs().empty());
}

TEST(one_command_too_many_is_refused_on_the_spot) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    for (const char* id : {"a", "b", "c", "d"}) {
        Command later = command(id);
        later.not_before_ms = noon + 1000;
        submit(life, later);
    }
    EXPECT(life.commands.submit(command("e"), CommandSource::remote, noon, life.now) ==
           ResultCode::busy);
    EXPECT(life.cleared == 1 && life.last == ResultCode::busy && life.told.id == "e");
    EXPECT(life.commands.jobs().size() == 4);
    EXPECT(life.outbox.appended_to(RecordClass::result) == 0);
}

TEST(a_refusal_at_the_local_door_leaves_no_record) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    life.check_code = ResultCode::unsupported;
    EXPECT(life.commands.submit(command(), CommandSource::local, noon, life.now) ==
           ResultCode::unsupported);
    EXPECT(life.cleared == 1 && life.told.target == "plug" && life.commands.jobs().empty());
    EXPECT(life.outbox.appended_to(RecordClass::result) == 0);
}

TEST(the_local_door_needs_neither_clock_nor_expiry_nor_a_rising_counter) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    submit(life, command());
    life.run();
    Command local = command("c-2");
    local.expiry_ms = 0;
    EXPECT(life.commands.submit(local, CommandSource::local, std::nullopt, life.now) ==
           ResultCode::executed);
    life.run();
    EXPECT(executed == 2 && life.last == ResultCode::executed);
}

TEST(an_id_is_of_letters_digits_and_dashes) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    life.check_code = ResultCode::unknown_target;  // what a good id comes to
    for (const char* good : {"a", "z", "A", "Z", "0", "9", "-", "a-Z-0"}) {
        EXPECT(life.commands.submit(command(good), CommandSource::local, noon, life.now) ==
               ResultCode::unknown_target);
    }
    for (const char* bad : {"", "`", "{", "@", "[", "/", ":", ".", "a b", "a+"}) {
        EXPECT(life.commands.submit(command(bad), CommandSource::local, noon, life.now) ==
               ResultCode::malformed);
    }
}

TEST(every_refusal_says_why_in_words) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    const auto codes = enum_names(ResultCode{}).size();
    for (std::size_t code = 0; code < codes; ++code) {
        life.commands.refuse(
            command("x"), static_cast<ResultCode>(code), CommandSource::local, life.now);
        EXPECT(life.last == static_cast<ResultCode>(code));
        EXPECT(life.told.text.empty() == (life.last == ResultCode::executed));
    }
    EXPECT(life.commands.refused() == codes);
}

TEST(a_command_that_may_not_begin_before_it_expires_comes_too_early) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    Command never_due = command();
    never_due.not_before_ms = never_due.expiry_ms + 1;
    EXPECT(life.commands.submit(never_due, CommandSource::remote, noon, life.now) ==
           ResultCode::too_early);
    life.run();
    EXPECT(executed == 0 && life.last == ResultCode::too_early);
    Command just_due = command("c-2");
    just_due.not_before_ms = just_due.expiry_ms;
    submit(life, just_due);
    EXPECT(life.commands.jobs().size() == 1);
}

TEST(a_command_that_expires_while_it_waits_is_not_carried_out) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    Command later = command();
    later.not_before_ms = noon + 30'000;
    later.expiry_ms = noon + 60'000;
    submit(life, later);
    (void)life.commands.step(noon + 60'001, life.now);
    life.run();
    EXPECT(executed == 0 && life.last == ResultCode::expired && !life.told.text.empty());
}

TEST(a_command_for_later_waits_while_nobody_knows_the_time) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    Command later = command();
    later.not_before_ms = noon + 1000;
    submit(life, later);
    (void)life.commands.step(std::nullopt, life.now);
    EXPECT(life.commands.jobs()[0].step == Commands::Step::waiting);
    (void)life.commands.step(noon + 1000, life.now);
    EXPECT(life.commands.jobs()[0].step == Commands::Step::beginning);
}

/// A command of the operator, number 7, is under way at the plug and another, number 8, waits for
/// it; whether a third begins now.
bool third_begins(Command third, CommandSource source = CommandSource::remote) {
    struct ManyDevices : Life {
        using Life::Life;
        ResultCode check(const Command&) override { return ResultCode::executed; }
    };
    fresh_media();
    int executed = 0;
    ManyDevices life(executed);
    submit(life, command());
    Command second = numbered("second", 8);
    second.not_before_ms = noon - 10;
    submit(life, second);
    EXPECT(life.commands.jobs()[1].step == Commands::Step::waiting);
    submit(life, third, source);
    return life.commands.jobs()[2].step == Commands::Step::beginning;
}

TEST(an_issuers_commands_begin_in_the_order_of_their_counters) {
    Command third = numbered("third", 9);
    third.target = "meter";       // so that only the order can hold it
    EXPECT(third_begins(third));  // the second was for a certain time, this one was not
    third.not_before_ms = noon - 11;
    EXPECT(third_begins(third));
    third.not_before_ms = noon - 10;
    EXPECT(!third_begins(third));
    EXPECT(third_begins(third, CommandSource::local));
    third.issuer = "installer";
    EXPECT(third_begins(third));
    third.issuer = "operator";
    third.counter = 0;
    EXPECT(third_begins(third));
}

TEST(commands_from_afar_for_one_device_wait_for_each_other_whoever_sent_them) {
    Command third = numbered("third", 1);
    third.issuer = "installer";
    EXPECT(!third_begins(third));
}

TEST(what_a_restart_finds_ended_is_reported_as_it_ended) {
    fresh_media();
    int executed = 0;
    {
        Life life(executed);
        submit(life, command());
        answer(life, true);
        life.commands.acted("plug", ResultCode::not_confirmed, 5, life.now);
        answer(life, true);
        records.cut();
        journal_bytes.cut();
    }
    Life life(executed);
    life.commands.resume(life.now);
    life.run();
    EXPECT(life.cleared == 1 && life.last == ResultCode::not_confirmed && life.told.value == 5);
    EXPECT(executed == 0 && life.told.target == "plug");
    Life third(executed);
    third.commands.resume(third.now);
    EXPECT(third.commands.jobs().empty());  // reported once
}

TEST(the_next_step_is_asked_for_when_something_may_have_changed) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    EXPECT(life.commands.step(noon, life.now) == never);
    submit(life, command());
    EXPECT(life.commands.step(noon, life.now) == life.now + seconds(1));
    answer(life, true);
    EXPECT(life.commands.step(noon, life.now) == life.now + seconds(30));  // the device's time
}

}  // namespace
