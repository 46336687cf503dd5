#include "inlet.hpp"

#include <utility>

namespace reel::gst {

void Inlet::begin() {
  const std::lock_guard lock(mutex_);
  begun_ = true;
  stats_ = {};
}

void Inlet::open(const std::string& stream, const ReaderOptions& options) {
  auto reader = std::make_unique<FrameReader>(stream, options);
  const std::lock_guard lock(mutex_);
  reader_ = std::move(reader);
  stats_ = reader_->stats();
  apply();
}

void Inlet::close() {
  std::unique_ptr<FrameReader> reader;
  const std::lock_guard lock(mutex_);
  reader = std::move(reader_);
  target_.reset();
  key_frame_wanted_ = false;
  paused_ = false;
  begun_ = false;
}

void Inlet::apply() noexcept {
  // SYNC inlet.wanted: release, before the interrupt; pairs with the acquire in attend().
  wanted_.store(wanted_elsewhere(), std::memory_order_release);
  if (reader_) {
    if (wanted_elsewhere())
      reader_->interrupt();
    else
      reader_->resume();
  }
  changed_.notify_all();
}

// What is to be done before the next read; nullopt: read.
std::optional<Inlet::Came> Inlet::attend() {
  if (!wanted_.load(std::memory_order_acquire)) return std::nullopt;  // what is wanted later ends the read
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !paused_ || unlocked_; });
  if (unlocked_) return Came::flushing;
  if (target_) return Came::retarget;
  if (std::exchange(key_frame_wanted_, false)) {
    apply();
    (void)reader_->request_key_frame();
  }
  return std::nullopt;
}

Inlet::Came Inlet::take(Frame& frame) {
  for (;;) {
    if (const auto came = attend()) return *came;
    const ReadStatus status = reader_->read(frame, kLookMs);
    {
      const std::lock_guard lock(mutex_);
      stats_ = reader_->stats();
    }
    switch (status) {
      case ReadStatus::frame: return Came::frame;
      case ReadStatus::empty: return Came::nothing;
      case ReadStatus::ended: return Came::ended;
      case ReadStatus::closed: return Came::closed;
      case ReadStatus::interrupted: continue;
      case ReadStatus::too_many_held:
      case ReadStatus::failed: return Came::failed;
    }
  }
}

std::optional<std::string> Inlet::take_target() {
  const std::lock_guard lock(mutex_);
  auto target = std::exchange(target_, std::nullopt);
  apply();
  return target;
}

void Inlet::unlock() {
  const std::lock_guard lock(mutex_);
  unlocked_ = true;
  apply();
}

void Inlet::resume() {
  const std::lock_guard lock(mutex_);
  unlocked_ = false;
  apply();
}

void Inlet::pause() {
  const std::lock_guard lock(mutex_);
  paused_ = true;
  apply();
}

void Inlet::play() {
  const std::lock_guard lock(mutex_);
  paused_ = false;
  apply();
}

void Inlet::retarget(std::string stream) {
  const std::lock_guard lock(mutex_);
  if (!begun_) return;
  target_ = std::move(stream);
  apply();
}

void Inlet::ask_for_key_frame() {
  const std::lock_guard lock(mutex_);
  key_frame_wanted_ = true;
  apply();
}

ReaderStats Inlet::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace reel::gst
