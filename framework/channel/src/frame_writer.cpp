#include <reel/channel/frame_writer.hpp>

#include "frame_writer_impl.hpp"

namespace reel {

std::string_view to_string(WriteStatus status) noexcept {
  switch (status) {
    case WriteStatus::ok: return "ok";
    case WriteStatus::timeout: return "timeout";
    case WriteStatus::too_large: return "too_large";
    case WriteStatus::no_memory: return "no_memory";
    case WriteStatus::bad_argument: return "bad_argument";
    case WriteStatus::interrupted: return "interrupted";
  }
  return "bad_argument";
}

FrameWriter::FrameWriter(std::string_view stream, const WriterOptions& options)
    : impl_(std::make_unique<Impl>(std::string(stream), options)) {}
FrameWriter::FrameWriter(std::string_view stream, const Format& format, const WriterOptions& options)
    : FrameWriter(stream, options) {
  set_format(format);
}
FrameWriter::FrameWriter(FrameWriter&&) noexcept = default;
FrameWriter& FrameWriter::operator=(FrameWriter&&) noexcept = default;
FrameWriter::~FrameWriter() = default;

void FrameWriter::set_format(const Format& format) {
  impl_->set_format(format);
}
void FrameWriter::reserve(std::uint64_t bytes) {
  impl_->reserve(bytes);
}
void FrameWriter::reserve_loans(std::uint32_t loans) {
  impl_->reserve_loans(loans);
}
void FrameWriter::set_segment(const Segment& segment) {
  impl_->set_segment(segment);
}
void FrameWriter::set_tags(const Tags& tags) {
  impl_->set_tags(tags);
}
const Format& FrameWriter::format() const noexcept {
  return impl_->format();
}
bool FrameWriter::wait_for_readers() noexcept {
  return impl_->wait_for_readers();
}

bool FrameWriter::wait_for_readers(const SharedWait& wait) noexcept {
  return impl_->wait_for_readers(wait);
}

const std::vector<std::string>& FrameWriter::started_without() const noexcept {
  return impl_->started_without();
}

bool FrameWriter::wait_for_readers(std::uint32_t count, const SharedWait& wait) noexcept {
  return impl_->wait_for_readers(count, wait);
}

WriteStatus FrameWriter::acquire(Loan& loan, std::size_t bytes, int timeout_ms) noexcept {
  loan.cancel();
  return impl_->acquire(loan, bytes, timeout_ms);
}
WriteStatus FrameWriter::acquire(Loan& loan, std::size_t bytes, const SharedWait& wait) noexcept {
  loan.cancel();
  return impl_->acquire(loan, bytes, wait);
}
void FrameWriter::wake() noexcept {
  impl_->wake();
}
bool FrameWriter::has(const Loan& loan) const noexcept {
  return impl_->has(loan);
}
void FrameWriter::reformat(Loan& loan) noexcept {
  impl_->reformat(loan);
}
WriteStatus FrameWriter::publish(Loan&& loan, const FrameInfo& info) noexcept {
  return impl_->publish(loan, info, false, nullptr);
}
WriteStatus FrameWriter::publish_and_keep(Loan& loan, const FrameInfo& info) noexcept {
  return impl_->publish(loan, info, true, nullptr);
}
WriteStatus FrameWriter::publish(Loan&& loan, const FrameInfo& info, const SharedWait& wait) noexcept {
  return impl_->publish(loan, info, false, &wait);
}
WriteStatus FrameWriter::publish_and_keep(Loan& loan, const FrameInfo& info,
                                          const SharedWait& wait) noexcept {
  return impl_->publish(loan, info, true, &wait);
}
WriteStatus FrameWriter::write(std::span<const std::byte> payload, const FrameInfo& info,
                               const SideDataView& side_data, int timeout_ms) noexcept {
  return impl_->write(payload, info, side_data, timeout_ms);
}
WriteStatus FrameWriter::write_gap(std::int64_t pts_ns, std::int64_t duration_ns) noexcept {
  FrameInfo info;
  info.kind = FrameKind::gap;
  info.pts_ns = pts_ns;
  info.duration_ns = duration_ns;
  return impl_->write({}, info, {}, kForever);
}
WriteStatus FrameWriter::write_event(std::string_view text, std::int64_t pts_ns) noexcept {
  FrameInfo info;
  info.kind = FrameKind::event;
  info.pts_ns = pts_ns;
  return impl_->write(std::as_bytes(std::span(text)), info, {}, kForever);
}

void FrameWriter::end() noexcept {
  impl_->end();
}
bool FrameWriter::drain(int timeout_ms) noexcept {
  return impl_->drain(timeout_ms);
}
bool FrameWriter::take_key_frame_request() noexcept {
  return impl_->take_key_frame_request();
}
void FrameWriter::interrupt() noexcept {
  impl_->interrupt(true);
}
void FrameWriter::resume() noexcept {
  impl_->interrupt(false);
}
const std::string& FrameWriter::stream() const noexcept {
  return impl_->stream();
}
WriterStats FrameWriter::stats() const noexcept {
  return impl_->stats();
}
std::vector<ReaderStatus> FrameWriter::readers() const {
  return impl_->readers();
}
const std::string& FrameWriter::error() const noexcept {
  return impl_->error();
}

}  // namespace reel
