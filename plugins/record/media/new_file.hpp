// A file that is written in one go and is gone again unless all of it came to be. Single-thread, but for
// write(), which a muxer's thread may call meanwhile.
#pragma once

#include <string>

#include "mux.hpp"

namespace record {

class NewFile : public ByteSink {
 public:
  /// Throws reel::Error{in_use} where there is such a file.
  explicit NewFile(std::string path);
  /// Removes it unless keep() was called.
  ~NewFile() override;
  [[nodiscard]] int write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept override;
  /// On the disk for good. Throws reel::Error{io} where it cannot be.
  void keep();

 private:
  std::string path_;
  int descriptor_;
  bool kept_ = false;
};

}  // namespace record
