#include "frame_reader_impl.hpp"

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <reel/base/checksum.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/channel/runtime_dir.hpp>

#include "record_codec.hpp"

namespace reel {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
// What a call that must not wait looks at and passes over (damaged frames, writers that leave at once) before
// it says empty: without a bound a hostile writer would keep it.
constexpr unsigned kMostTurns = 64;
constexpr std::int64_t kDamageNoticeNs = 1'000 * kMillisecond;
constexpr std::int64_t kFirstRetryNs = 5 * kMillisecond;
constexpr std::int64_t kLastRetryNs = 200 * kMillisecond;
constexpr std::int64_t kNever = std::int64_t{1} << 62;

// Most frames have one to three: less than what a call of memcmp for all of them costs.
template <typename Values>
bool same_planes(const Values& a, const Values& b, std::uint32_t planes) noexcept {
  for (std::uint32_t plane = 0; plane < planes; ++plane) {
    if (a[plane] != b[plane]) return false;
  }
  return true;
}

HelloMessage hello_of(const ReaderOptions& options) {
  HelloMessage hello;
  hello.role = PeerRole::reader;
  hello.policy = static_cast<std::uint32_t>(options.policy);
  hello.start = static_cast<std::uint32_t>(options.start);
  hello.max_pins = options.max_pins;
  options.name.copy(hello.name.data(), hello.name.size() - 1);
  return hello;
}

}  // namespace

FrameReader::Impl::Impl(std::string stream, const ReaderOptions& options)
    : stream_(std::move(stream)),
      options_(options),
      service_(Service::instance()),
      poll_(::epoll_create1(EPOLL_CLOEXEC)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      spin_ns_(longest_spin_ns()) {
  check_stream_name(stream_);
  if (const char* given = std::getenv(kReaderNameVariable); options_.name.empty() && given != nullptr)
    options_.name = given;
  if (!valid_reader_name(options_.name)) throw Error(ErrorCode::bad_argument, bad_reader_name(options_.name));
  if (options_.max_pins < 1 || options_.max_pins > kMaxSlots)
    throw Error(ErrorCode::bad_argument,
                fmt::format("max_pins is {}: it must be 1 to {}", options_.max_pins, kMaxSlots));
  if (!poll_ || !timer_) throw_errno(errno, "cannot make a reader's descriptors", stream_);
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, timer_.get(), &event) != 0)
    throw_errno(errno, "cannot watch a reader's descriptors", stream_);
  rules_.newest = options_.policy == Policy::latest;
  const std::int64_t opened_ns = monotonic_ns();
  absent_since_ns_ = opened_ns;
  const std::int64_t deadline_ns =
      options_.connect_timeout_ms < 0 ? kNever : opened_ns + options_.connect_timeout_ms * kMillisecond;
  while (!connect() && hello_socket_) {
    const std::int64_t until_ns =
        parked_ ? std::min(deadline_ns, opened_ns + kHandshakeTimeoutNs) : deadline_ns;
    if (monotonic_ns() >= until_ns) break;
    wait_for_message(hello_socket_.get(), until_ns);
  }
  if (!epoch_) {
    if (failed_) throw Error(error_code_, error_, stream_);
    if (!options_.reconnect && !hello_socket_) throw_not_found(stream_);
  }
}

FrameReader::Impl::~Impl() {
  if (connection_ && !keeps_place_) {
    const PlainMessage leave{{.type = MessageType::leave}};
    (void)send_message(connection_->socket(),
                       bytes_of(leave));  // a frame still held keeps the connection, but no cursor
  }
  disconnect();
}

void FrameReader::Impl::keep_place() noexcept {
  keeps_place_ = true;
  if (connection_) connection_->abandon();
}

ReadStatus FrameReader::Impl::read(Frame& frame, int timeout_ms) noexcept {
  const std::int64_t deadline_ns = timeout_ms < 0    ? kNever
                                   : timeout_ms == 0 ? 0
                                                     : monotonic_ns() + timeout_ms * kMillisecond;
  for (unsigned turns = 1;; ++turns) {
    if (interrupted_.load(std::memory_order_acquire)) return ReadStatus::interrupted;
    if (failed_) return ReadStatus::failed;
    if (ended_) return ReadStatus::ended;
    if (!epoch_ && !connect()) {
      if (failed_) return ReadStatus::failed;
      if (!options_.reconnect && !hello_socket_) return ReadStatus::closed;
      if (timeout_ms == 0 || monotonic_ns() >= deadline_ns) return ReadStatus::empty;
      wait_unconnected(deadline_ns);
      continue;
    }
    ReadStatus status = ReadStatus::empty;
    switch (take(frame, status)) {
      case Step::done: return status;
      case Step::again:
        if (timeout_ms == 0 ? turns >= kMostTurns : monotonic_ns() >= deadline_ns) return ReadStatus::empty;
        continue;
      case Step::nothing: break;
    }
    if (!spare_share_) spare_share_ = epoch_;
    if (armed_socket_) {  // only now, so that no frame waits for it; then look again, for what was rung for
                          // meanwhile
      read_messages();
      continue;
    }
    // Before the spin: what it finds is then handed on without another look at the clock.
    if (timeout_ms == 0 || monotonic_ns() >= deadline_ns) return ReadStatus::empty;
    if (moved_since_ns_ != 0)
      wait_for_message(connection_->socket(), deadline_ns);
    else if (!spin())
      wait_connected(deadline_ns);
  }
}

FrameReader::Impl::Step FrameReader::Impl::take(Frame& frame, ReadStatus& status) noexcept {
  RingReader& ring = epoch_->ring();
  if (ring.pins() >= options_.max_pins) {
    status = ReadStatus::too_many_held;
    return Step::done;
  }
  const bool hung_up =
      connection_->hung_up();  // before the look at the ring: what was published before is found
  const TakeStatus came = ring.take(rules_, taken_, counters_);
  if (ring.take_owed_kick()) send_byte(connection_->socket());
  switch (came) {
    case TakeStatus::taken:
      if (!deliver(taken_, frame)) return Step::again;
      status = ReadStatus::frame;
      return Step::done;
    case TakeStatus::corrupted: ring.publish_counters(counters_); return Step::again;
    case TakeStatus::ended:
      ended_ = true;
      status = ReadStatus::ended;
      return Step::done;
    case TakeStatus::moved: return follow(status);
    case TakeStatus::empty: return hung_up ? lost_writer(status) : Step::nothing;
  }
  return Step::nothing;
}

bool FrameReader::Impl::deliver(const TakenSlot& taken, Frame& frame) noexcept {
  RingReader& ring = epoch_->ring();
  const SlotRecord& record = taken.record;
  frame.sequence_ = record.sequence;
  frame.publish_ns_ = record.publish_ns;
  frame.info_ = info_of(record);
  frame.payload_ = {epoch_->view().slot_payload(taken.slot), record.payload_bytes};
  frame.side_data_ = SideDataView({epoch_->view().slot_side_data(taken.slot), record.side_data_bytes});
  const bool described_well = described(taken, frame);
  if (described_well && options_.wanted && frame.info_.kind == FrameKind::media && !options_.wanted(frame)) {
    pass_over(taken, frame);
    return false;
  }
  if (!described_well || !payload_holds(taken, frame)) {
    ++counters_.corrupted;
    if (!options_.deliver_corrupted || frame.format_ == nullptr) {
      epoch_->release(taken.slot);
      ring.publish_counters(counters_);
      return false;
    }
    frame.info_.flags |= kCorrupted;
  }
  rules_.key_frames = frame.format_->kind() == MediaKind::encoded;
  ++counters_.delivered;
  if (frame.verified_) ++counters_.verified;
  const std::uint64_t missed =
      counters_.skipped + counters_.lapped + (options_.deliver_corrupted ? 0 : counters_.corrupted);
  frame.missed_before_ = missed - missed_seen_;
  missed_seen_ = missed;
  const bool gap = frame.missed_before_ != 0 && !rules_.newest;
  if (discont_ || gap) frame.info_.flags |= kDiscont;
  // A gap in what should have none: the reason may lie in the socket, which a sleeping reader does not look
  // at.
  if (gap && options_.policy == Policy::lossless) read_messages();
  discont_ = false;
  started_ = true;
  ring.publish_counters(counters_);
  frame.held_ = {spare_share_ ? std::move(spare_share_) : epoch_, taken.slot};
  return true;
}

// What the frame itself says of gaps before it is kept for the next one that is delivered.
void FrameReader::Impl::pass_over(const TakenSlot& taken, const Frame& frame) noexcept {
  ++counters_.skipped;
  ++missed_seen_;
  discont_ = discont_ || (frame.info_.flags & kDiscont) != 0;
  rules_.key_frames = frame.format_->kind() == MediaKind::encoded;
  epoch_->release(taken.slot);
  epoch_->ring().publish_counters(counters_);
}

// Records and plane layout: false when any of them cannot be right.
bool FrameReader::Impl::described(const TakenSlot& taken, Frame& frame) noexcept {
  const SlotRecord& record = taken.record;
  static const Format kNoFormat;
  frame.verified_ = false;
  frame.layout_.plane_count = 0;
  frame.layout_.bytes = 0;
  frame.format_ = record.format_id == 0 ? &kNoFormat : epoch_->format(record.format_id);
  frame.segment_ = epoch_->segment(record.segment_id);
  frame.tags_ = epoch_->tags(record.tags_id);
  if (frame.format_ == nullptr || (record.segment_id != 0 && frame.segment_ == nullptr) ||
      (record.tags_id != 0 && frame.tags_ == nullptr))
    return false;
  if (record.plane_count != 0) {
    const VideoLayout* layout = known_layout(record, *frame.format_);
    if (layout == nullptr) return false;
    frame.layout_ = *layout;
  }
  return true;
}

// Checksums: false when one is wrong. `frame.verified_` tells whether the payload was compared.
bool FrameReader::Impl::payload_holds(const TakenSlot& taken, Frame& frame) noexcept {
  const SlotRecord& record = taken.record;
  if (record.side_data_bytes != 0 && checksum(frame.side_data_.bytes()) != record.side_data_checksum)
    return false;
  const auto mode = static_cast<ChecksumMode>(record.checksum_mode);
  if (!options_.verify || mode == ChecksumMode::none) return true;
  if (checksum(frame.payload_, mode) != record.payload_checksum) {
    tell_of_damage(record.sequence);
    return false;
  }
  frame.verified_ = true;
  return true;
}

// Once a second at most: the counters have them all.
void FrameReader::Impl::tell_of_damage(std::uint64_t sequence) noexcept {
  const std::int64_t now_ns = monotonic_ns();
  if (told_of_damage_ns_ != 0 && now_ns - told_of_damage_ns_ < kDamageNoticeNs) return;
  told_of_damage_ns_ = now_ns;
  try {
    log_warning(fmt::format("stream \"{}\": frame {} does not match its checksum; {} damaged before it",
                            stream_, sequence, counters_.corrupted));
  } catch (const std::exception&) {
    log_warning("a frame does not match its checksum");
  }
}

// nullptr when the frame's planes cannot lie so.
const VideoLayout* FrameReader::Impl::known_layout(const SlotRecord& record, const Format& format) noexcept {
  if (checked_.format == &format && checked_.payload_bytes == record.payload_bytes &&
      checked_.plane_count == record.plane_count && checked_.planes_listed == record.planes_listed &&
      (record.planes_listed == 0 ||
       (same_planes(checked_.offset_bytes, record.plane_offset_bytes, record.plane_count) &&
        same_planes(checked_.stride_bytes, record.plane_stride_bytes, record.plane_count))))
    return &checked_.layout;
  const auto layout = layout_of(record, format);
  if (!layout) return nullptr;
  checked_ = {&format,
              record.payload_bytes,
              record.plane_count,
              record.planes_listed,
              record.plane_offset_bytes,
              record.plane_stride_bytes,
              *layout};
  return &checked_.layout;
}

FrameReader::Impl::Step FrameReader::Impl::lost_writer(ReadStatus& status) noexcept {
  disconnect();
  epoch_.reset();
  spare_share_.reset();
  discont_ = started_;
  absent_since_ns_ = monotonic_ns();
  if (options_.reconnect) return Step::again;
  status = ReadStatus::closed;
  return Step::done;
}

bool FrameReader::Impl::connect() noexcept {
  if (connects_ != 0 && !options_.reconnect) return false;
  try {
    if (!hello_socket_ && (monotonic_ns() < retry_at_ns_ || !say_hello())) return false;
    switch (receive_message(hello_socket_.get(), message_)) {
      case ReceiveStatus::none:
        if (monotonic_ns() < retry_at_ns_) return false;
        throw_no_answer(stream_, kHandshakeTimeoutNs / kMillisecond);
      case ReceiveStatus::gone: break;
      case ReceiveStatus::received:
        if (says_parked(message_)) {
          wait_parked();
          return false;
        }
        join(joined_by(std::move(hello_socket_), std::move(message_), hello_of(options_), stream_));
        return true;
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::timeout || !options_.reconnect) fail(error.code(), error.message());
  } catch (const std::exception& error) {
    fail(ErrorCode::internal, error.what());
  }
  forget_hello();
  return false;
}

bool FrameReader::Impl::say_hello() {
  auto socket = greet_writer(stream_, hello_of(options_));
  if (!socket) {
    forget_hello();
    tell_of_long_absence();
    return false;
  }
  hello_socket_ = std::move(*socket);
  retry_at_ns_ = monotonic_ns() + kHandshakeTimeoutNs;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;  // stays: this socket becomes the connection's
  if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, hello_socket_.get(), &event) != 0)
    throw_errno(errno, "cannot watch its writer's socket", stream_);
  return true;
}

void FrameReader::Impl::tell_of_long_absence() {
  if (options_.absence_notice_ms <= 0 || absent_since_ns_ == 0) return;
  const std::int64_t absent_ns = monotonic_ns() - absent_since_ns_;
  if (absent_ns < options_.absence_notice_ms * kMillisecond) return;
  absent_since_ns_ = 0;
  log_warning(fmt::format("stream \"{}\": waiting for its writer for {} s now: {}", stream_,
                          absent_ns / 1'000'000'000, absence_text(stream_)));
}

// For as long as that writer is there.
void FrameReader::Impl::wait_parked() noexcept {
  parked_ = true;
  retry_at_ns_ = kNever;
  absent_since_ns_ = 0;
}

// The next try comes after a while: longer and longer while nobody is there.
void FrameReader::Impl::forget_hello() noexcept {
  if (hello_socket_) ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, hello_socket_.get(), nullptr);
  hello_socket_.reset();
  if (std::exchange(parked_, false)) absent_since_ns_ = monotonic_ns();
  retry_delay_ns_ = std::clamp(retry_delay_ns_ * 2, kFirstRetryNs, kLastRetryNs);
  retry_at_ns_ = monotonic_ns() + retry_delay_ns_;
}

void FrameReader::Impl::join(Joined joined) {
  auto connection = std::make_shared<ReaderConnection>(std::move(joined.socket));
  auto epoch = std::make_shared<ReaderEpoch>(joined.welcome, joined.received, connection);
  service_->watch(connection->socket(), EPOLLRDHUP | EPOLLONESHOT,
                  [watched = connection.get()](std::uint32_t) { watched->mark_hung_up(); });
  set_connection(std::move(connection));
  if (options_.comes_back) {
    const PlainMessage message{{.type = MessageType::comes_back}};
    (void)send_message(connection_->socket(), bytes_of(message));
  }
  if (options_.start == Start::keyframe) epoch->ring().begin_at_key_frame();
  adopt(std::move(epoch));
  // The frames of a writer that comes back are all new: none of them is missed while we find it.
  if (options_.start != Start::keyframe) options_.start = Start::oldest;
  ++connects_;
  parked_ = false;
  absent_since_ns_ = 0;
  retry_delay_ns_ = 0;
  retry_at_ns_ = 0;
}

void FrameReader::Impl::fail(ErrorCode code, const std::string& message) noexcept {
  failed_ = true;
  error_code_ = code;
  try {
    error_ = message;
  } catch (...) {
    error_.clear();
  }
}

void FrameReader::Impl::adopt(std::shared_ptr<ReaderEpoch> epoch) noexcept {
  epoch_ = std::move(epoch);
  spare_share_.reset();
  checked_.format = nullptr;
  moved_since_ns_ = 0;
  disarm_timer();
  connection_->sleep_on(epoch_->page());
  rules_.key_frames = false;
  // Known before the first frame, so that `latest` never hands on what cannot be decoded.
  if (const Format* format = epoch_->format(epoch_->view().header->format_id.load(std::memory_order_acquire)))
    rules_.key_frames = format->kind() == MediaKind::encoded;
  epoch_->ring().publish_counters(counters_);
}

// Memory that a growth announced before it failed is never written to: the old control names the right one.
void FrameReader::Impl::drop_abandoned_epochs() noexcept {
  const EpochId next = next_epoch(epoch_->view());
  if (next == EpochId{}) return;
  while (!next_epochs_.empty() && next_epochs_.front()->view().geometry.epoch != next)
    next_epochs_.pop_front();
}

FrameReader::Impl::Step FrameReader::Impl::follow(ReadStatus& status) noexcept {
  const bool hung_up = connection_->hung_up();  // before the look at the socket, as in take()
  read_messages();
  drop_abandoned_epochs();
  if (failed_) return Step::again;
  if (!next_epochs_.empty()) {
    adopt(std::move(next_epochs_.front()));
    next_epochs_.pop_front();
    return Step::again;
  }
  // The message is under way: it is sent before the move is announced.
  if (moved_since_ns_ == 0) moved_since_ns_ = monotonic_ns();
  if (hung_up || monotonic_ns() - moved_since_ns_ >= kHandshakeTimeoutNs) return lost_writer(status);
  return Step::nothing;
}

void FrameReader::Impl::set_connection(std::shared_ptr<ReaderConnection> connection) noexcept {
  const std::lock_guard lock(connection_mutex_);
  connection_ = std::move(connection);
}

void FrameReader::Impl::disconnect() noexcept {
  next_epochs_.clear();
  moved_since_ns_ = 0;
  if (!connection_) return;
  service_->unwatch(connection_->socket());
  ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, connection_->socket(), nullptr);
  connection_->sleep_on(nullptr);
  set_connection(nullptr);
  armed_socket_ = false;
}

}  // namespace reel
