// A module (modules/collector.cpp, if not another) run in a thread of the test, which writes its two inputs
// and reads its output.
#pragma once

#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <reel_test/runtime_dir.hpp>

#include <reel/base/error.hpp>
#include <reel/stage/run.hpp>

namespace reel {

class RunStage : public testing::Test {
 protected:
  RunStage() : RunStage("test.collector") {}
  explicit RunStage(const std::string& module)
      : plugin_(std::string(REEL_TEST_MODULES) + "/" + module + ".so") {
    setup_.name = "collector";
    setup_.base_directory = "/";
    for (const std::string name : {"a", "b"}) {
      InputSetup input{"in", reel_test::unique_name(name), {}};
      input.reader.name = "collector." + name;
      input.reader.policy = Policy::lossless;
      setup_.inputs.push_back(input);
    }
    OutputSetup output{"out", reel_test::unique_name("out"), {}};
    output.writer.wait_for = {"test"};
    setup_.outputs.push_back(output);
  }

  void option(const std::string& name, const std::string& value) {
    setup_.options[name] = {value, {}, false, ""};
  }

  void start() {
    running_ = std::thread([this] {
      try {
        run_stage(plugin_, setup_, stop_, mapping_.page());
      } catch (const Error& error) {
        failure_.emplace(error);
      }
    });
  }
  void join() {
    if (running_.joinable()) running_.join();
  }
  ~RunStage() override {
    stop_.stop();
    join();
  }

  [[nodiscard]] FrameWriter writer(std::size_t input) const {
    WriterOptions options;
    options.wait_for = {setup_.inputs[input].reader.name};
    return FrameWriter(setup_.inputs[input].stream, options);
  }
  // Everything that the module tells, until its stream ends.
  [[nodiscard]] std::string read_all() const {
    ReaderOptions options;
    options.name = "test";
    options.policy = Policy::lossless;
    FrameReader reader(setup_.outputs[0].stream, options);
    std::string told;
    Frame frame;
    ReadStatus status;
    while ((status = reader.read(frame, 60'000)) == ReadStatus::frame)
      told.append(reinterpret_cast<const char*>(frame.data().data()), frame.data().size());
    EXPECT_EQ(status, ReadStatus::ended) << to_string(status);
    return told;
  }
  [[nodiscard]] StageState state() const {
    return static_cast<StageState>(mapping_.page().state.load(std::memory_order_relaxed));
  }

  reel_test::TempRuntimeDir directory_;
  Plugin plugin_;
  StageSetup setup_;
  StopSignal stop_;
  StagePageMapping mapping_ = StagePageMapping::create();
  std::optional<Error> failure_;
  std::thread running_;
};

}  // namespace reel
