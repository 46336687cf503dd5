// The subcommands of `reel`, one file each. Each adds itself to the command line; when it was asked for,
// parsing runs it and it leaves its exit status in `result`, which outlives the parsing. Errors leave as
// reel::Error; main() prints them.
#pragma once

namespace CLI {
class App;
}

/// Exit status: 0 fine, 1 failed at run time, 2 bad usage or configuration.
struct CommandResult {
  int status = 0;
};

void add_run(CLI::App& app, CommandResult& result);
void add_check(CLI::App& app, CommandResult& result);
void add_top(CLI::App& app, CommandResult& result);
void add_graph(CLI::App& app, CommandResult& result);
void add_logs(CLI::App& app, CommandResult& result);
void add_trace(CLI::App& app, CommandResult& result);
void add_stop(CLI::App& app, CommandResult& result);
void add_restart(CLI::App& app, CommandResult& result);
void add_apply(CLI::App& app, CommandResult& result);
void add_completion(CLI::App& app, CommandResult& result);
void add_doctor(CLI::App& app, CommandResult& result);
void add_ls(CLI::App& app, CommandResult& result);
void add_inspect(CLI::App& app, CommandResult& result);
void add_verify(CLI::App& app, CommandResult& result);
void add_snapshot(CLI::App& app, CommandResult& result);
void add_event(CLI::App& app, CommandResult& result);
void add_play(CLI::App& app, CommandResult& result);
void add_recordings(CLI::App& app, CommandResult& result);
void add_plugins(CLI::App& app, CommandResult& result);
