#include "running_pipeline.hpp"

#include <stdexcept>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>
#include <reel_test/process_facts.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>
#include <unistd.h>

namespace reel_test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> command_of(const std::string& pid) {
  std::istringstream text(read_file("/proc/" + pid + "/cmdline"));
  std::vector<std::string> words;
  for (std::string word; std::getline(text, word, '\0');) words.push_back(word);
  return words;
}

pid_t parent_of(const std::string& pid) {
  const std::string stat = read_file("/proc/" + pid + "/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string state;
  pid_t parent = 0;
  fields >> state >> parent;
  return parent;
}

bool runs_stage(const std::vector<std::string>& command, const std::string& name) {
  for (std::size_t i = 0; i + 1 < command.size(); ++i) {
    if (command[i] == "--name") return command[i + 1] == name;
  }
  return false;
}

ChildProcess start(const ScratchDir& scratch, const std::string& text, std::vector<std::string> arguments,
                   const ChildProcess::Environment& environment) {
  std::vector<std::string> all{"run", scratch.write("pipeline.yaml", text), "--progress", "--summary-json",
                               scratch.path() + "/summary.json"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return ChildProcess::program(reel_command(), all, environment);
}

}  // namespace

RunningPipeline::RunningPipeline(const std::string& text, std::vector<std::string> arguments,
                                 const ChildProcess::Environment& environment)
    : reel_(start(scratch_, text, std::move(arguments), environment)) {}

pid_t RunningPipeline::stage(const std::string& name) const {
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || parent_of(pid) != reel_.pid()) continue;
    if (runs_stage(command_of(pid), name)) return static_cast<pid_t>(std::stol(pid));
  }
  return 0;
}

pid_t RunningPipeline::wait_for_stage(const std::string& name, pid_t before) const {
  pid_t found = 0;
  const bool there = wait_until([&] { return (found = stage(name)) > 1 && found != before; });
  // Whoever asks may mean to kill it, and 0 is the test's own group.
  if (!there) throw std::runtime_error("stage " + name + " has no process; the log:\n" + reel_.errors());
  return found;
}

long RunningPipeline::frames(const std::string& stage) const {
  const std::string log = reel_.errors();
  const std::size_t place = log.rfind("  " + stage + " ");
  return place == std::string::npos ? 0 : std::atol(log.c_str() + place + stage.size() + 3);
}

bool RunningPipeline::wait_for_frames(const std::string& stage, long enough) const {
  return wait_until([&] { return frames(stage) >= enough; });
}

bool RunningPipeline::wait_for_log(const std::string& text) const {
  return wait_until([&] { return reel_.errors().find(text) != std::string::npos; });
}

nlohmann::json RunningPipeline::summary() const {
  return nlohmann::json::parse(scratch_.read("summary.json"), nullptr, false);
}

nlohmann::json RunningPipeline::stage_summary(const std::string& name) const {
  const nlohmann::json all = summary();
  if (!all.is_object()) return {};
  for (const nlohmann::json& stage : all["stages"]) {
    if (stage["name"] == name) return stage;
  }
  return {};
}

nlohmann::json RunningPipeline::verdict(const std::string& stage) const {
  std::istringstream output(reel_.output());
  for (std::string line; std::getline(output, line);) {
    nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.value("stage", "") == stage) return json;
  }
  return {};
}

}  // namespace reel_test
