#include "host.hpp"

#include <sstream>
#include <utility>

#include <reel_test/wait_until.hpp>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/stage/stage_setup.hpp>

namespace reel::stage_tests {

std::string plugin_path(const std::string& name) {
  std::vector<std::string> directories{REEL_TEST_MODULES, REEL_README_MODULES};
  for (const std::string& directory : plugin_directories()) directories.push_back(directory);
  return load_plugin(name, directories).path();
}

StageSetup setup_of(const std::string& name, const std::string& plugin,
                    const std::vector<std::pair<std::string, std::string>>& options) {
  StageSetup setup;
  setup.name = name;
  setup.plugin = plugin_path(plugin);
  setup.base_directory = "/";
  for (const auto& [option, value] : options)
    setup.options[option] = OptionValue{value, {}, false, "test.yaml:1"};
  return setup;
}

void add_input(StageSetup& setup, const std::string& port, const std::string& stream, Policy policy) {
  InputSetup input{port, stream, {}};
  input.reader.name = setup.name + ".in";
  input.reader.policy = policy;
  input.reader.start = Start::resume;
  setup.inputs.push_back(input);
}

void add_output(StageSetup& setup, const std::string& port, const std::string& stream,
                const std::vector<std::string>& wait_for) {
  OutputSetup output{port, stream, {}};
  output.writer.wait_for = wait_for;
  output.writer.start_timeout_ms = 60'000;
  setup.outputs.push_back(output);
}

Host::Host(StageSetup setup) : setup_(std::move(setup)), mapping_(StagePageMapping::create()) {}

void Host::start() {
  const UniqueFd inherited(::dup(mapping_.fd()));  // without CLOEXEC
  process_.reset();
  process_.emplace(reel_test::ChildProcess::program(
      REEL_STAGE_HOST_PATH,
      {"--name", setup_.name, "--setup-fd", "0", "--stats-fd", std::to_string(inherited.get())}));
  process_->send(to_json(setup_));
  process_->close_input();
}

StageState Host::state() const noexcept {
  return static_cast<StageState>(page().state.load(std::memory_order_relaxed));
}

std::uint64_t Host::frames() const noexcept {
  const auto& counter = setup_.inputs.empty() ? output().frames : input().frames;
  return counter.load(std::memory_order_relaxed);
}

bool Host::wait_for_more(std::uint64_t more) {
  const std::uint64_t wanted = frames() + more;
  return reel_test::wait_until([&] { return frames() >= wanted || !process_->running(); }) &&
         frames() >= wanted;
}

reel_test::ExitStatus Host::wait() {
  return process_->wait();
}

nlohmann::json Host::report() const {
  std::istringstream lines(process_->output());
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("{\"stage\":")) return nlohmann::json::parse(line);
  return nullptr;
}

std::vector<std::uint64_t> findings(const nlohmann::json& report) {
  std::vector<std::uint64_t> all;
  for (const char* key : {"frames", "gaps", "corrupted", "duplicates"}) all.push_back(report.at(key));
  return all;
}

}  // namespace reel::stage_tests
