// What the log says of a source that is away: at once when it goes or the reason is another, then every
// minute, and when it is back. Single-thread.
#pragma once

#include <cstdint>
#include <string>

namespace capture {

class Absence {
 public:
  explicit Absence(std::string source) : source_(std::move(source)) {}

  /// A try that failed, or a connection that was lost; the next one is in `delay_ms`.
  void failed(const std::string& why, std::int64_t delay_ms, std::int64_t now_ns);
  /// Frames come.
  void ended(std::int64_t now_ns);

 private:
  std::string source_;
  std::string why_;
  std::int64_t since_ns_ = 0;  // 0: it is there
  std::int64_t told_ns_ = 0;
  std::uint64_t tries_ = 0;
};

}  // namespace capture
