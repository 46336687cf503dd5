#include "recorder/syncer.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <unistd.h>

#include <reel/base/log.hpp>

namespace record {

SyncedFile::SyncedFile(reel::UniqueFd descriptor, std::string path)
    : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

bool SyncedFile::sync() noexcept {
  int status = 0;
  do {
    status = ::fdatasync(descriptor_.get());
  } while (status != 0 && errno == EINTR);
  const int why = errno;
  if (status != 0 && !failed_.exchange(true, std::memory_order_relaxed))
    reel::log_error("what was recorded cannot be made safe on the disk, and is read again at the end: " +
                    std::string(std::strerror(why)) + ": " + path_);
  return !failed_.load(std::memory_order_relaxed);
}

Syncer::Syncer(std::int64_t interval_ns) : interval_ns_(interval_ns), thread_([this] { run(); }) {}

Syncer::~Syncer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Syncer::add(std::weak_ptr<SyncedFile> file) {
  const std::lock_guard lock(mutex_);
  files_.push_back(std::move(file));
}

void Syncer::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::nanoseconds(interval_ns_), [this] { return stopping_; })) {
    lock.unlock();
    sync_all();
    lock.lock();
  }
}

void Syncer::sync_all() {
  std::vector<std::shared_ptr<SyncedFile>> files;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(files_, [](const auto& file) { return file.expired(); });
    for (const auto& file : files_) files.push_back(file.lock());
  }
  for (const auto& file : files)
    if (file) (void)file->sync();
}

}  // namespace record
