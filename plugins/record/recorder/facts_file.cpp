#include "recorder/facts_file.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

namespace record {
namespace {

constexpr std::size_t kMostPending = 4 * 1024 * 1024;

}  // namespace

FactsFile::FactsFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (!file_) reel::throw_errno(errno, "cannot write the frames' facts", path_);
}

void FactsFile::add(const std::string& text) {
  if (pending_.size() + text.size() <= kMostPending) {
    pending_ += text;
  } else if (!lossy_) {
    lossy_ = true;
    reel::log_warning("facts of frames are lost, no room for them: " + path_);
  }
  write();
}

void FactsFile::finish() {
  write();
  if (!std::exchange(pending_, {}).empty())
    reel::log_warning("facts of its last frames are lost, no room for them: " + path_);
}

void FactsFile::write() {
  while (!pending_.empty()) {
    const ssize_t wrote = ::write(file_.get(), pending_.data(), pending_.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    pending_.erase(0, static_cast<std::size_t>(wrote));
  }
}

}  // namespace record
