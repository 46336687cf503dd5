// The spans of one running stage, added to its page while they are wanted. Made by run_stage(); its outputs
// tell of what they publish from whatever thread they are used in, all else is the loop's thread alone. While
// no spans are wanted it costs a look at a word, once a frame.
#pragma once

#include <cstdint>

#include <reel/channel/frame.hpp>
#include <reel/channel/writer_trace.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

class StageTrace {
 public:
  /// In the thread of the loop.
  explicit StageTrace(StagePage& page) noexcept;

  /// Before each call of process(), process_set() or produce(), and when it was over.
  void begin_call() noexcept { call_ = page_.traced.load(std::memory_order_relaxed) != 0 ? ++calls_ : 0; }
  void end_call() noexcept { call_ = 0; }
  /// Between the two: whether the call's spans are wanted.
  [[nodiscard]] bool in_call() const noexcept { return call_ != 0; }

  /// REQUIRES: in_call().
  void waited(std::size_t input, const Frame& frame, std::int64_t begin_ns, std::int64_t end_ns) noexcept;
  void processed(std::size_t input, const Frame& frame, std::int64_t begin_ns, std::int64_t end_ns) noexcept;
  void produced(std::int64_t begin_ns, std::int64_t end_ns) noexcept;

  /// Thread-safe. Fills in which process, thread and call it was; what an output does in another thread than
  /// the loop's is of no call.
  void add(Span span) noexcept;

  [[nodiscard]] const std::atomic<std::uint32_t>& wanted() const noexcept { return page_.traced; }

 private:
  StagePage& page_;
  std::uint32_t pid_, loop_tid_;
  std::uint32_t calls_ = 0;  // that were traced
  std::uint32_t call_ = 0;   // which of them goes on; 0: none, or one that is not traced
};

/// What one output tells of.
class OutputTrace final : public WriterTrace {
 public:
  OutputTrace(StageTrace& trace, std::size_t output) noexcept
      : WriterTrace(trace.wanted()), trace_(trace), output_(static_cast<std::uint8_t>(output)) {}
  void published(const PublishTimes& times) noexcept override;
  void waited(std::int64_t begin_ns, std::int64_t end_ns) noexcept override;

 private:
  StageTrace& trace_;
  std::uint8_t output_;
};

}  // namespace reel
