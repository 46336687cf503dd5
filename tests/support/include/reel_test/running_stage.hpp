// A plugin's stage run in a thread of the test program, as a stage host runs it in its process.
// Single-thread.
#pragma once

#include <atomic>
#include <exception>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include <reel/stage/loader.hpp>
#include <reel/stage/run.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel_test {

class RunningStage {
 public:
  /// Loads the plugin `setup.plugin` names ("audio.level", no path) and starts the stage.
  explicit RunningStage(reel::StageSetup setup)
      : setup_(std::move(setup)),
        plugin_(reel::load_plugin(setup_.plugin, reel::plugin_directories())),
        page_(reel::StagePageMapping::create()),
        thread_([this] { run(); }) {}
  RunningStage(const RunningStage&) = delete;
  RunningStage& operator=(const RunningStage&) = delete;
  ~RunningStage() {
    stop_.stop();
    if (thread_.joinable()) thread_.join();
  }

  void drain() { stop_.drain(); }
  void stop() { stop_.stop(); }
  /// True once run_stage() has returned or thrown.
  [[nodiscard]] bool ended() const { return ended_.load(std::memory_order_acquire); }
  /// Waits for the end of the stage; throws what run_stage() threw.
  void join() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }
  [[nodiscard]] reel::StagePage& page() const { return page_.page(); }

 private:
  void run() noexcept {
    try {
      reel::run_stage(plugin_, setup_, stop_, page_.page());
    } catch (...) {
      failure_ = std::current_exception();
    }
    ended_.store(true, std::memory_order_release);
  }

  reel::StageSetup setup_;
  reel::Plugin plugin_;
  reel::StopSignal stop_;
  reel::StagePageMapping page_;
  std::exception_ptr failure_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

/// Options as a pipeline file would give them.
[[nodiscard]] inline std::map<std::string, reel::OptionValue> options(
    const std::map<std::string, std::string>& texts) {
  std::map<std::string, reel::OptionValue> values;
  for (const auto& [name, text] : texts) values[name] = reel::OptionValue{text, {}, false, "test"};
  return values;
}

}  // namespace reel_test
