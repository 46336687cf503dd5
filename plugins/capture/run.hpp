// What the stage does from its start to its end: one subclass for clips, one for cameras. Stage's thread.
#pragma once

namespace capture {

class Run {
 public:
  Run() = default;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  virtual ~Run() = default;

  // As reel::Stage.
  virtual void start() = 0;
  [[nodiscard]] virtual bool produce() = 0;
  /// Safe at any time: no thread of the run's is left.
  virtual void close() noexcept = 0;
};

}  // namespace capture
