// Writes the frames' facts beside a file that is being written, line by line, so that they are there when it
// is killed. Called by SegmentFile. Single-thread.
#pragma once

#include <string>

#include <reel/base/unique_fd.hpp>

namespace record {

class FactsFile {
 public:
  /// Throws reel::Error where it cannot be made.
  explicit FactsFile(const std::string& path);
  /// On a full disk the text is kept for the next time, up to a bound; what is beyond is lost, and logged
  /// once.
  void add(const std::string& text);
  /// Nothing more comes: what was kept is written now, or lost, and logged.
  void finish();

 private:
  void write();

  std::string path_;
  reel::UniqueFd file_;
  std::string pending_;
  bool lossy_ = false;
};

}  // namespace record
