// SPDX-License-Identifier: Apache-2.0
#include "core/task/commands.h"

#include "core/base/test.h"
#include "core/task/commands_scene.h"

using namespace jw;
using namespace jw::test;

TEST(a_command_is_begun_durably_before_the_device_is_asked) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    EXPECT(life.commands.submit(command(), CommandSource::remote, noon, life.now) ==
           ResultCode::executed);
    EXPECT(!life.asked);
    EXPECT(life.advance() && life.asked && life.cleared == 0);
    life.run();
    EXPECT(executed == 1 && life.cleared == 1 && life.last == ResultCode::executed);
    EXPECT(life.outbox.accepted_to(RecordClass::result) == 1);
}

TEST(cut_between_any_two_steps_a_command_runs_at_most_once_and_is_always_reported) {
    for (int cut = 0; cut < 24; ++cut) {
        fresh_media();
        int executed = 0;
        int reported = 0;
        int cleared = 0;
        ResultCode code = ResultCode::busy;
        {
            Life life(executed);
            life.run();
            (void)life.commands.submit(command(), CommandSource::remote, noon, life.now);
            for (int i = 0; i < cut; ++i) {
                (void)life.advance();
            }
            cleared = life.cleared;
            code = life.last;
            records.cut();
            journal_bytes.cut();
        }
        {
            Life life(executed);
            life.commands.resume(life.now);
            life.run();
            if (cleared == 0) {  // the broker still has the request
                (void)life.commands.submit(command(), CommandSource::remote, noon, life.now);
                life.run();
            }
            cleared += life.cleared;
            code = life.cleared > 0 ? life.last : code;
            reported = static_cast<int>(life.outbox.accepted_to(RecordClass::result));
        }
        EXPECT(executed <= 1);
        EXPECT(reported >= 1 && cleared >= 1);
        // What is reported is the truth: executed, or nobody knows and it is never tried again.
        EXPECT(code == ResultCode::executed || code == ResultCode::interrupted);
        EXPECT(code != ResultCode::executed || executed == 1);
    }
}

TEST(a_repeated_request_is_answered_again_and_not_executed_again) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    (void)life.commands.submit(command(), CommandSource::remote, noon, life.now);
    (void)life.commands.submit(command(), CommandSource::remote, noon, life.now);
    life.run();
    EXPECT(executed == 1 && life.cleared == 1);
    EXPECT(life.commands.submit(command(), CommandSource::remote, noon, life.now) ==
           ResultCode::executed);
    life.run();
    EXPECT(executed == 1 && life.cleared == 2);
}

TEST(refusals_have_their_code_and_reach_nobody) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    const auto refused = [&](Command c, std::optional<std::int64_t> clock) {
        const ResultCode code = life.commands.submit(c, CommandSource::remote, clock, life.now);
        life.run();
        return code;
    };
    Command c = command("a");
    c.expiry_ms = noon - 1;
    EXPECT(refused(c, noon) == ResultCode::expired);
    c = command("b");
    c.expiry_ms = noon + 86'400'001;
    EXPECT(refused(c, noon) == ResultCode::denied);
    c = command("b2");
    c.expiry_ms = 0;
    EXPECT(refused(c, noon) == ResultCode::denied);
    EXPECT(refused(command("c"), std::nullopt) == ResultCode::denied);
    c = command("d");
    c.target = "nobody";
    EXPECT(refused(c, noon) == ResultCode::unknown_target);
    c = command("#/+");
    EXPECT(refused(c, noon) == ResultCode::malformed);
    life.check_code = ResultCode::out_of_range;
    EXPECT(refused(command("e"), noon) == ResultCode::out_of_range);
    EXPECT(executed == 0 && !life.asked && life.commands.refused() == 7);
    EXPECT(life.outbox.accepted_to(RecordClass::result) == 7);
}

TEST(rubbish_under_the_id_of_a_known_command_changes_nothing) {
    fresh_media();
    int executed = 0;
    {
        Life life(executed);
        (void)life.commands.submit(command(), CommandSource::remote, noon, life.now);
        Command rubbish;
        rubbish.id = command().id;
        life.commands.refuse(rubbish, ResultCode::malformed, CommandSource::remote, life.now);
        EXPECT(life.commands.jobs().size() == 1);  // while it runs
        life.run();
        life.commands.refuse(rubbish, ResultCode::denied, CommandSource::remote, life.now);
        life.run();
        EXPECT(life.cleared == 2 && life.last == ResultCode::executed);
        EXPECT(life.outbox.accepted_to(RecordClass::result) == 1);
    }
    Life life(executed);
    life.commands.resume(life.now);
    (void)life.commands.submit(command(), CommandSource::remote, noon, life.now);
    EXPECT(life.last == ResultCode::executed && executed == 1);
    EXPECT(life.journal.last_counter("operator") == command().counter);
}

TEST(counters_of_an_issuer_rise_also_over_commands_that_wait) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    Command later_one = command("later");
    later_one.counter = 20;
    later_one.not_before_ms = noon + 60'000;
    (void)life.commands.submit(later_one, CommandSource::remote, noon, life.now);
    Command overtakes = command("overtakes");
    overtakes.counter = 30;
    (void)life.commands.submit(overtakes, CommandSource::remote, noon, life.now);
    life.run();
    EXPECT(executed == 1);
    EXPECT(life.cleared == 2 && life.last == ResultCode::repeated);
    EXPECT(life.commands.jobs().empty());
}

TEST(a_counter_that_was_used_before_is_refused_also_after_a_restart) {
    fresh_media();
    int executed = 0;
    {
        Life life(executed);
        (void)life.commands.submit(command(), CommandSource::remote, noon, life.now);
        life.run();
    }
    Life life(executed);
    Command replayed = command("c-2");
    EXPECT(life.commands.submit(replayed, CommandSource::remote, noon, life.now) ==
           ResultCode::repeated);
    replayed.id = "c-3";
    replayed.counter = 8;
    EXPECT(life.commands.submit(replayed, CommandSource::remote, noon, life.now) ==
           ResultCode::executed);
    life.run();
    EXPECT(executed == 2);
}

TEST(a_device_that_never_ends_a_command_is_called_silent) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    life.device_answers = false;
    (void)life.commands.submit(command(), CommandSource::local, noon, life.now);
    (void)life.advance();
    EXPECT(life.asked);
    life.now = life.now + seconds(31);
    life.run();
    EXPECT(life.cleared == 1 && life.last == ResultCode::device_silent);
}

TEST(a_command_for_later_waits_and_one_device_takes_one_at_a_time) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    Command later_one = command("later");
    later_one.not_before_ms = noon + 1000;
    (void)life.commands.submit(later_one, CommandSource::remote, noon, life.now);
    life.run();
    EXPECT(executed == 0 && life.commands.jobs().size() == 1);
    (void)life.commands.step(noon + 1000, life.now);
    Command second = command("second");
    second.counter = 9;
    (void)life.commands.submit(second, CommandSource::remote, noon + 1000, life.now);
    EXPECT(life.commands.jobs()[1].step == Commands::Step::waiting);
    life.run();
    EXPECT(executed == 2);
}

TEST(a_command_counts_as_begun_only_once_its_id_is_on_the_medium) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    for (int i = 0; i < 2; ++i) {
        EXPECT(life.commands.submit(command(), CommandSource::local, noon, life.now) ==
               ResultCode::executed);
        EXPECT(life.begun_told == 0);
    }
    EXPECT(life.advance() && life.begun_told == 1);
    (void)life.commands.submit(command(), CommandSource::local, noon, life.now);
    EXPECT(life.begun_told == 2);  // each request has its answer
    life.run();
    (void)life.commands.submit(command(), CommandSource::local, noon, life.now);
    EXPECT(life.begun_told == 3 && life.not_written_told == 0 && executed == 1);
}

TEST(a_command_whose_begin_fails_on_the_medium_reaches_nobody) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    (void)life.commands.submit(command(), CommandSource::local, noon, life.now);
    SyncTicket ticket = 0;
    EXPECT(journal_bytes.take(ticket));
    life.commands.synced(ticket, JW_FAIL(internal), life.now);
    EXPECT(life.not_written_told == 1 && life.begun_told == 0 && !life.asked);
    (void)life.commands.submit(command(), CommandSource::local, noon, life.now);
    EXPECT(life.not_written_told == 2);
    life.run();
    EXPECT(executed == 0 && life.last == ResultCode::busy);
}

TEST(what_was_told_as_begun_is_known_after_any_cut_and_ends_in_a_result) {
    for (int cut = 0; cut < 24; ++cut) {
        fresh_media();
        int executed = 0;
        bool told = false;
        {
            Life life(executed);
            life.run();
            (void)life.commands.submit(command(), CommandSource::local, noon, life.now);
            for (int i = 0; i < cut; ++i) {
                (void)life.advance();
            }
            told = life.begun_told > 0;
            records.cut();
            journal_bytes.cut();
        }
        Life life(executed);
        life.commands.resume(life.now);
        life.run();
        const JournalEntry* const known = life.journal.find("c-1");
        EXPECT(!told || (known != nullptr && known->phase == CommandPhase::reported));
        EXPECT(!told || known->code != ResultCode::executed || executed == 1);
        EXPECT(told == (cut > 0));
    }
}

TEST(commands_from_here_are_begun_at_once_and_reach_a_busy_device_in_their_order) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    life.device_answers = false;
    for (const char* id : {"first", "second", "third"}) {
        Command c = command(id);
        c.counter = 0;
        (void)life.commands.submit(c, CommandSource::local, noon, life.now);
    }
    for (int i = 0; i < 3; ++i) {
        (void)life.advance();
    }
    EXPECT(life.begun_told == 3);
    const auto jobs = life.commands.jobs();
    EXPECT(jobs[0].step == Commands::Step::acting && jobs[1].step == Commands::Step::waiting);
    life.asked = false;
    life.commands.acted("plug", ResultCode::executed, 1, life.now);
    (void)life.commands.step(noon, life.now);
    EXPECT(life.asked && jobs[1].step == Commands::Step::acting);
    EXPECT(jobs[2].step == Commands::Step::waiting);
    life.device_answers = true;
    life.run();
    EXPECT(executed == 2 && life.cleared == 3);
}
