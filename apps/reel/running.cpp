#include "running.hpp"

#include <vector>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/runtime_dir.hpp>

void add_pipeline_argument(CLI::App& command, std::string& name) {
  command.add_option("PIPELINE", name, "a running pipeline's name; may be left out where one runs");
}

std::string choose_pipeline(const std::string& name) {
  if (!name.empty()) return name;
  const std::vector<std::string> running = reel::list_pipelines();
  if (running.empty())
    throw reel::Error(
        reel::ErrorCode::not_found,
        fmt::format("no pipeline runs (looked {}): start one with `reel run FILE`", reel::where_looked()));
  if (running.size() > 1)
    throw reel::Error(reel::ErrorCode::bad_argument, fmt::format("{} pipelines run: say which of {}",
                                                                 running.size(), reel::join_or(running)));
  return running.front();
}
