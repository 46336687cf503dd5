#include <reel/channel/frame_reader.hpp>

#include "frame_reader_impl.hpp"

namespace reel {

std::string_view to_string(ReadStatus status) noexcept {
  switch (status) {
    case ReadStatus::frame: return "frame";
    case ReadStatus::empty: return "empty";
    case ReadStatus::ended: return "ended";
    case ReadStatus::closed: return "closed";
    case ReadStatus::too_many_held: return "too_many_held";
    case ReadStatus::interrupted: return "interrupted";
    case ReadStatus::failed: return "failed";
  }
  return "failed";
}

FrameReader::FrameReader(std::string_view stream, const ReaderOptions& options)
    : impl_(std::make_unique<Impl>(std::string(stream), options)) {}
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;
FrameReader::~FrameReader() = default;

ReadStatus FrameReader::read(Frame& frame, int timeout_ms) noexcept {
  frame.release();
  return impl_->read(frame, timeout_ms);
}

int FrameReader::fd() const noexcept {
  return impl_->fd();
}
bool FrameReader::prepare_wait() noexcept {
  return impl_->prepare_wait();
}
void FrameReader::interrupt() noexcept {
  impl_->interrupt(true);
}
void FrameReader::resume() noexcept {
  impl_->interrupt(false);
}
void FrameReader::keep_place() noexcept {
  impl_->keep_place();
}
bool FrameReader::request_key_frame() noexcept {
  return impl_->request_key_frame();
}
const std::string& FrameReader::stream() const noexcept {
  return impl_->stream();
}
bool FrameReader::connected() const noexcept {
  return impl_->connected();
}
bool FrameReader::parked() const noexcept {
  return impl_->parked();
}
std::uint32_t FrameReader::slots() const noexcept {
  return impl_->slots();
}
std::int64_t FrameReader::memory_created_ns() const noexcept {
  return impl_->memory_created_ns();
}
ReaderStats FrameReader::stats() const noexcept {
  return impl_->stats();
}
const std::string& FrameReader::error() const noexcept {
  return impl_->error();
}

}  // namespace reel
