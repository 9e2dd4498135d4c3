// SPDX-License-Identifier: Apache-2.0
#pragma once
// Commands: from the decoded request to the result on disk. The order of the steps is the promise:
// the id is durable before the device is asked, the result is durable before the request is
// cleared. So a command is executed at most once and always reported, whatever is cut in between.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/list.h"
#include "core/base/time.h"
#include "core/model/command.h"
#include "core/outbox/outbox.h"
#include "core/trust/command_journal.h"

namespace jw {

enum class CommandSource : std::uint8_t { local, remote };

/// What Commands asks of the gateway.
class CommandPorts {
  public:
    /// Asks the device; the end comes back through Commands::acted(). Anything but `executed` ends
    /// the command here.
    virtual ResultCode act(const Command& command, Instant now) = 0;
    /// Whether the command could be carried out at all (target, quantity, range); `executed`: yes.
    virtual ResultCode check(const Command& command) = 0;
    /// Whether the command's id is on the medium now, told to every submit() that took it. `done`:
    /// whatever is cut from here on, it ends in a result. An error: it is not, the device is not
    /// asked, and it ends as `busy`. `full`: of commands that must be remembered; else the disk.
    virtual void begun(const CommandId& id, Status written) = 0;
    /// The result is on disk (or the command was refused): the request may be cleared.
    virtual void finished(const CommandResult& result, CommandSource source, Instant now) = 0;

  protected:
    ~CommandPorts() = default;
};

class Commands {
  public:
    enum class Step : std::uint8_t { waiting, beginning, acting, ending, reporting };
    struct Job {
        Command command;
        CommandSource source = CommandSource::local;
        RequestKey asked;
        Step step = Step::waiting;
        bool begun = false;    // has an entry in the journal
        bool durable = false;  // and on the medium
        SyncTicket ticket = 0;
        Instant deadline = never;
        CommandResult result;
        RecordId record;
    };

    Commands(CommandJournal& journal, Outbox& outbox, CommandPorts& ports, std::span<Job> jobs)
        : journal_(journal), outbox_(outbox), ports_(ports), jobs_(jobs) {}

    /// Reports what was cut off before this start: begun but not ended counts as interrupted.
    void resume(Instant now);

    /// Takes a command whose signature holds (or that came through the local door). A repeated
    /// request of a command that is known is no new one: while it runs nothing happens, afterwards
    /// finished() is told again. `unix_ms`: wall time, absent while the clock is not set. `asked`:
    /// of a local one, by what journal().find_key() knows it for a day after its end.
    /// Returns the code of a refusal, or `executed` when the command was taken or is known.
    ResultCode submit(const Command& command,
                      CommandSource source,
                      std::optional<std::int64_t> unix_ms,
                      Instant now,
                      const RequestKey& asked = {});
    /// A refusal of somebody else (signature, decoding) that has to be reported like any result;
    /// unless the id is that of a known command, which is answered as by submit().
    void refuse(const Command& command, ResultCode code, CommandSource source, Instant now);

    void acted(std::string_view target,
               ResultCode code,
               std::optional<std::int64_t> value,
               Instant now);
    /// The journal's storage answered.
    void synced(SyncTicket ticket, Status result, Instant now);
    Instant step(std::optional<std::int64_t> unix_ms, Instant now);

    /// The command that this target acts on just now, or null.
    [[nodiscard]] const Command* acting(std::string_view target) const;
    [[nodiscard]] std::span<const Job> jobs() const { return jobs_.items(); }
    /// Commands of earlier lives as well, those that ended since too.
    [[nodiscard]] const CommandJournal& journal() const { return journal_; }
    static CommandResult result_of(const JournalEntry& known);
    [[nodiscard]] std::uint32_t damaged() const { return journal_.damaged(); }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }
    /// A command was refused since the journal is full, and there is no room yet.
    [[nodiscard]] bool journal_full() const { return journal_full_; }

  private:
    static constexpr std::int64_t day_ms = 86'400'000;

    ResultCode judge(const Command& command,
                     CommandSource source,
                     std::optional<std::int64_t> unix_ms) const;
    void know_time(std::optional<std::int64_t> unix_ms);
    [[nodiscard]] Job* find(const CommandId& id);
    /// Whether the command is known; what was told of it is told again.
    bool answered(const CommandId& id, CommandSource source, Instant now);
    [[nodiscard]] bool counter_used(const Job& job) const;
    [[nodiscard]] bool behind_another(const Job& job) const;
    void take_turn(Job& job, Instant now);
    void begin(Job& job, Instant now);
    void not_written(Job& job, Error error, Instant now);
    void act(Job& job, Instant now);
    void end(Job& job, ResultCode code, std::optional<std::int64_t> value, Instant now);
    void report(Job& job, Instant now);
    void close(std::size_t index, Instant now);
    [[nodiscard]] JournalEntry entry(const Job& job, CommandPhase phase) const;
    [[nodiscard]] bool device_busy(const Job& job) const;

    CommandJournal& journal_;
    Outbox& outbox_;
    CommandPorts& ports_;
    List<Job> jobs_;
    SyncTicket next_ticket_ = 1;
    std::uint64_t refused_ = 0;
    std::optional<std::int64_t> unix_ms_;
    bool journal_full_ = false;
};

}  // namespace jw
