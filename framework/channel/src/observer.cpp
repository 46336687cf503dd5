#include <reel/channel/observer.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <reel/base/checksum.hpp>
#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/channel/runtime_dir.hpp>
#include <reel/ring/header_checksum.hpp>
#include <reel/ring/stream_memory.hpp>

#include "join.hpp"
#include "name_lock.hpp"
#include "record_codec.hpp"

namespace reel {
namespace {

constexpr double kRateWindowNs = 2e9;

std::string state_name(SlotState state) {
  switch (state) {
    case SlotState::free: return "free";
    case SlotState::writing: return "writing";
    case SlotState::ready: return "ready";
    case SlotState::retired: return "retired";
  }
  return "free";
}

std::string kind_name(std::uint32_t kind) {
  switch (static_cast<FrameKind>(kind)) {
    case FrameKind::media: return "media";
    case FrameKind::gap: return "gap";
    case FrameKind::event: return "event";
  }
  return "unknown";
}

// A header copied out of a slot nobody protects.
struct Glimpse {
  SlotRecord record{};
  bool header_right = false;
};

class SlotObserver {
 public:
  SlotObserver(const StreamView& view, std::uint32_t slot)
      : view_(view), header_(view.slots[slot]), slot_(slot) {}

  [[nodiscard]] std::uint64_t state() const { return header_.state.load(std::memory_order_acquire); }
  /// Copies after a look at the state; what was copied counts only if unchanged() says so afterwards.
  [[nodiscard]] Glimpse glimpse() const {
    Glimpse result;
    copy_record(result.record, header_.record);
    const std::uint64_t claimed = header_.header_checksum;
    result.header_right = header_checksum(result.record) == claimed &&
                          result.record.payload_bytes <= view_.geometry.slot_bytes &&
                          result.record.side_data_bytes <= view_.geometry.side_data_bytes &&
                          result.record.checksum_mode <= 2 && result.record.plane_count <= kMaxPlanes &&
                          result.record.planes_listed <= 1;
    return result;
  }
  [[nodiscard]] bool unchanged(std::uint64_t before) const {
    std::atomic_thread_fence(std::memory_order_acquire);  // the copies above come before this look
    return header_.state.load(std::memory_order_relaxed) == before;
  }
  [[nodiscard]] std::span<const std::byte> payload(const SlotRecord& record) const {
    return {view_.slot_payload(slot_), record.payload_bytes};
  }
  [[nodiscard]] std::span<const std::byte> side_data(const SlotRecord& record) const {
    return {view_.slot_side_data(slot_), record.side_data_bytes};
  }

 private:
  const StreamView& view_;
  const SlotHeader& header_;
  std::uint32_t slot_;
};

bool intact(const SlotRecord& record, std::span<const std::byte> payload,
            std::span<const std::byte> side_data) {
  const auto mode = static_cast<ChecksumMode>(record.checksum_mode);
  if (mode != ChecksumMode::none && checksum(payload, mode) != record.payload_checksum) return false;
  return side_data.empty() || checksum(side_data) == record.side_data_checksum;
}

}  // namespace

class StreamObserver::Impl {
 public:
  Impl(std::string stream, int timeout_ms) : stream_(std::move(stream)), timeout_ms_(timeout_ms) {
    check_stream_name(stream_);
    if (!join()) throw_not_found(stream_);
  }

  StreamStatus status() {
    StreamStatus status;
    ask_for_readers(status);
    const StreamView& view = present();  // after the answer: no cursor is beyond what is seen here
    status.name = stream_;
    status.epoch = to_hex(view.geometry.epoch);
    const auto writer = peer_of(socket_.get());
    status.writer_pid = writer ? static_cast<std::uint32_t>(writer->pid) : 0;
    // What it calls itself is what we call it: by chance alone where its PID namespace is another.
    status.same_pid_namespace = status.writer_pid == view.geometry.writer_pid;
    if (const auto format = current_format(view)) status.caps = format->caps();
    status.layout_major = view.geometry.layout_major;
    status.layout_minor = view.geometry.layout_minor;
    status.slots = view.geometry.slots;
    status.slot_bytes = view.geometry.slot_bytes;
    status.side_data_bytes = view.geometry.side_data_bytes;
    status.memory_bytes = view.geometry.control_bytes + view.geometry.payload_bytes;
    status.memory = to_string(kind_);
    status.head = sequence_of(view.header->head.load(std::memory_order_acquire)) + 1;
    status.oldest = view.header->oldest.load(std::memory_order_acquire);
    status.live = view.geometry.live != 0;
    status.ended = view.header->end.load(std::memory_order_acquire) != 0;
    status.sealed = view.geometry.sealed != 0;
    status.checksum = static_cast<ChecksumMode>(view.geometry.checksum_mode);
    status.fps = measured_fps(view);
    status.waits = view.header->waits.load(std::memory_order_relaxed);
    return status;
  }

  [[nodiscard]] StreamRecords records() {
    StreamRecords records;
    const StreamView& view = present();
    const auto collect = [](auto& into, const auto* table, std::uint32_t limit) {
      for (std::uint32_t i = 0; i < limit; ++i) {
        if (table[i].checksum == 0) return;  // written in order: the first empty one ends the table
        if (auto value = read_record(table[i])) into.push_back(std::move(*value));
      }
    };
    collect(records.formats, view.formats, kFormatRecords);
    collect(records.segments, view.segments, kSegmentRecords);
    collect(records.tags, view.tags, kTagsRecords);
    return records;
  }

  [[nodiscard]] std::vector<SlotStatus> slots() {
    std::vector<SlotStatus> result;
    const StreamView& view = present();
    for (std::uint32_t slot = 0; slot < view.geometry.slots; ++slot) result.push_back(look_at(view, slot));
    return result;
  }

  [[nodiscard]] bool newest(FrameCopy& frame) {
    const StreamView& view = present();
    // The writer may overwrite what is being copied; a frame later is as good.
    for (int tries = 0; tries < 100; ++tries) {
      const std::uint64_t word = view.header->head.load(std::memory_order_acquire);
      const std::uint64_t sequence = sequence_of(word);
      if (sequence < view.geometry.first_sequence || slot_of(word) >= view.geometry.slots) return false;
      if (copy(view, slot_of(word), sequence, frame)) return true;
    }
    return false;
  }

 private:
  // False when nobody writes the stream.
  [[nodiscard]] bool join() {
    HelloMessage hello;
    hello.role = PeerRole::observer;
    auto joined = join_stream(stream_, hello, timeout_ms_);
    if (!joined) return false;
    socket_ = std::move(joined->socket);
    kind_ = static_cast<SegmentKind>(joined->welcome.memory);
    memory_ = MappedStreamMemory(kind_, std::move(joined->received.fds[0]), joined->welcome.control_bytes,
                                 std::move(joined->received.fds[1]), joined->welcome.payload_bytes);
    return true;
  }

  // The memory the stream is in now. Observers are not told when it moves, so they look.
  [[nodiscard]] const StreamView& present() {
    if (memory_->view().header->moved.load(std::memory_order_acquire) != 0 && !join()) throw_gone();
    return memory_->view();
  }

  [[nodiscard]] static std::optional<Format> current_format(const StreamView& view) {
    const std::uint32_t id = view.header->format_id.load(std::memory_order_acquire);
    if (id == 0 || id > kFormatRecords) return std::nullopt;
    return read_record(view.formats[id - 1]);
  }

  [[nodiscard]] static SlotStatus look_at(const StreamView& view, std::uint32_t slot) {
    const SlotObserver observer(view, slot);
    const std::uint64_t before = observer.state();
    const auto state = static_cast<SlotState>(before & 3);
    SlotStatus status;
    status.slot = slot;
    status.state = state_name(state);
    status.verdict = "-";
    if (state != SlotState::ready && state != SlotState::retired) return status;
    const Glimpse glimpse = observer.glimpse();
    std::string verdict = "corrupted";
    if (glimpse.header_right) {
      const bool right =
          intact(glimpse.record, observer.payload(glimpse.record), observer.side_data(glimpse.record));
      const bool unchecked = glimpse.record.checksum_mode == static_cast<std::uint32_t>(ChecksumMode::none);
      if (right) verdict = unchecked ? "unchecked" : "ok";
    }
    status.verdict = observer.unchanged(before) ? verdict : "changed";
    status.sequence = before >> 2;
    if (!glimpse.header_right) return status;
    status.kind = kind_name(glimpse.record.kind);
    status.payload_bytes = glimpse.record.payload_bytes;
    status.side_data_bytes = glimpse.record.side_data_bytes;
    status.info = info_of(glimpse.record);
    status.publish_ns = glimpse.record.publish_ns;
    status.checksum = glimpse.record.payload_checksum;
    return status;
  }

  [[nodiscard]] static bool copy(const StreamView& view, std::uint32_t slot, std::uint64_t sequence,
                                 FrameCopy& frame) {
    const SlotObserver observer(view, slot);
    const std::uint64_t before = observer.state();
    if (before != slot_word(sequence, SlotState::ready)) return false;
    const Glimpse glimpse = observer.glimpse();
    if (!glimpse.header_right) {
      if (!observer.unchanged(before)) return false;
      frame = FrameCopy{};
      frame.sequence = sequence;
      return true;  // a frame that is there and damaged
    }
    const SlotRecord& record = glimpse.record;
    const auto payload = observer.payload(record);
    const auto side_data = observer.side_data(record);
    frame.payload.assign(payload.begin(), payload.end());
    frame.side_data.assign(side_data.begin(), side_data.end());
    if (!observer.unchanged(before)) return false;
    frame.sequence = sequence;
    frame.info = info_of(record);
    frame.publish_ns = record.publish_ns;
    frame.intact = intact(record, frame.payload, frame.side_data);
    frame.format = Format();
    if (record.format_id >= 1 && record.format_id <= kFormatRecords) {
      if (auto format = read_record(view.formats[record.format_id - 1])) frame.format = std::move(*format);
    }
    const auto layout = layout_of(record, frame.format);
    frame.layout = layout.value_or(VideoLayout{});
    if (record.plane_count != 0 && !layout) frame.intact = false;
    return true;
  }

  [[nodiscard]] static double measured_fps(const StreamView& view) {
    // Also what was taken back: where few slots go round, the headers of frames that are no more there are
    // most of what there is. One that is just written anew does not match its checksum.
    std::map<std::uint64_t, double> published_ns;  // by sequence
    for (std::uint32_t slot = 0; slot < view.geometry.slots; ++slot) {
      const SlotObserver observer(view, slot);
      const std::uint64_t before = observer.state();
      const Glimpse glimpse = observer.glimpse();
      if (glimpse.header_right && observer.unchanged(before))
        published_ns[glimpse.record.sequence] = static_cast<double>(glimpse.record.publish_ns);
    }
    if (published_ns.size() < 2) return 0;
    const auto& [last, last_ns] = *published_ns.rbegin();
    // Slots that were left out for long tell of a rate that was.
    auto begin = published_ns.begin();
    while (std::next(begin, 2) != published_ns.end() && last_ns - begin->second > kRateWindowNs) ++begin;
    const auto intervals = static_cast<double>(last - begin->first);
    const double span_ns = last_ns - begin->second;
    const double since_first_ns = static_cast<double>(monotonic_ns()) - begin->second;
    // Two intervals late are chance; a writer that has been silent for longer is slower than its frames say.
    const bool late = since_first_ns > span_ns * (1 + 2 / intervals);
    const double measured_ns = late ? since_first_ns : span_ns;
    return measured_ns > 0 ? intervals * 1e9 / measured_ns : 0;
  }

  void ask_for_readers(StreamStatus& into) {
    const PlainMessage request{{.type = MessageType::status_request}};
    if (send_message(socket_.get(), bytes_of(request)) == SendStatus::gone) throw_gone();
    const auto status = expect<StatusMessage>(MessageType::status);
    into.epochs = status.epochs;
    for (std::uint32_t i = 0; i < std::min(status.readers, kMaxReaders); ++i) {
      const auto message = expect<ReaderStatusMessage>(MessageType::reader_status);
      ReaderStatus reader;
      reader.pid = message.pid;
      reader.name.assign(message.name.data(), ::strnlen(message.name.data(), message.name.size()));
      reader.policy = static_cast<Policy>(message.policy);
      reader.demoted = message.demoted != 0;
      reader.cursor = message.cursor;
      reader.pinned = message.pinned;
      reader.max_pins = message.max_pins;
      reader.away_ms = message.away_ms;
      reader.delivered = message.delivered;
      reader.verified = message.verified;
      reader.skipped = message.skipped;
      reader.lapped = message.lapped;
      reader.corrupted = message.corrupted;
      reader.waits = message.waits;
      into.readers.push_back(std::move(reader));
    }
  }

  template <typename Message>
  [[nodiscard]] Message expect(MessageType type) {
    ReceivedMessage received;
    switch (receive_within(socket_.get(), received, timeout_ms_)) {
      case ReceiveStatus::gone: throw_gone();
      case ReceiveStatus::none:
        throw Error(ErrorCode::timeout,
                    fmt::format("its writer did not answer within {} ms: is it stopped?", timeout_ms_),
                    stream_);
      case ReceiveStatus::received: break;
    }
    const auto header = header_of(received);
    const auto message = as<Message>(received, 0);
    if (!header || header->type != type || !message)
      throw Error(ErrorCode::protocol, "its writer answered with a message of the wrong form", stream_);
    return *message;
  }

  [[noreturn]] void throw_gone() const {
    throw Error(ErrorCode::closed, "its writer has just gone", stream_);
  }

  std::string stream_;
  int timeout_ms_;
  UniqueFd socket_;
  SegmentKind kind_ = SegmentKind::memfd;
  std::optional<MappedStreamMemory> memory_;
};

StreamObserver::StreamObserver(std::string_view stream, int timeout_ms)
    : impl_(std::make_unique<Impl>(std::string(stream), timeout_ms)) {}
StreamObserver::StreamObserver(StreamObserver&&) noexcept = default;
StreamObserver& StreamObserver::operator=(StreamObserver&&) noexcept = default;
StreamObserver::~StreamObserver() = default;
StreamStatus StreamObserver::status() {
  return impl_->status();
}
StreamRecords StreamObserver::records() const {
  return impl_->records();
}
std::vector<SlotStatus> StreamObserver::slots() const {
  return impl_->slots();
}
bool StreamObserver::newest(FrameCopy& frame) const {
  return impl_->newest(frame);
}

std::vector<std::string> list_streams() {
  std::vector<std::string> names;
  for (const RuntimeDir& directory : runtime_dirs()) {
    if (directory.state != RuntimeDir::State::usable) continue;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path, failed)) {
      const std::filesystem::path file = entry.path().filename();
      const std::string stream = file.stem().string();
      if (file.extension() != ".sock" || !valid_stream_name(stream)) continue;
      try {
        if (connect_to_owner(directory, stream)) names.push_back(stream);  // a dead one's refuses
      } catch (const Error&) {  // not its owner's: no stream of this directory
      }
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace reel
