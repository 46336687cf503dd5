#include "recorder/backlog.hpp"

#include <chrono>
#include <thread>

namespace record {
namespace {

constexpr std::uint64_t kMuch = std::uint64_t{16} << 20U;
constexpr auto kLook = std::chrono::milliseconds(1);
constexpr int kStill = 50;    // looks without a write
constexpr int kHangs = 1000;  // looks at one write

}  // namespace

int CountedSink::write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  backlog_.writing.store(true, std::memory_order_relaxed);
  const int error = DescriptorSink::write(offset, bytes);
  backlog_.written.fetch_add(bytes.size(), std::memory_order_relaxed);
  backlog_.writing.store(false, std::memory_order_relaxed);
  return error;
}

Backlog::Look Backlog::look() {
  std::erase_if(files_, [](const auto& file) { return file.expired(); });
  Look seen;
  for (const auto& each : files_) {
    const std::shared_ptr<const FileBacklog> file = each.lock();
    if (!file) continue;
    const std::uint64_t given = file->given.load(std::memory_order_relaxed);
    const std::uint64_t written = file->written.load(std::memory_order_relaxed);
    seen.waiting += given > written ? given - written : 0;
    seen.written += written;
    seen.writing = seen.writing || file->writing.load(std::memory_order_relaxed);
  }
  return seen;
}

void Backlog::wait() {
  Look before = look();
  if (before.waiting <= kMuch || (!before.writing && before.written == still_)) return;
  int still = 0;
  for (int same = 0; before.waiting > kMuch && still < kStill && same < kHangs; ++same, ++still) {
    std::this_thread::sleep_for(kLook);
    const Look now = look();
    if (now.written != before.written) same = 0;
    if (now.writing || now.written != before.written) still = 0;
    before = now;
  }
  still_ = before.written;
}

}  // namespace record
