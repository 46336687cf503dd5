#include "fake_writer.hpp"

#include <array>
#include <cstring>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <reel/base/checksum.hpp>
#include <reel/ring/header_checksum.hpp>

namespace stream_test {

namespace {

constexpr int kLookMs = 5;

reel::StreamRequest request(const std::string& name, std::uint32_t slots, std::uint64_t slot_bytes) {
  reel::StreamRequest wanted;
  wanted.name = name;
  wanted.slots = slots;
  wanted.slot_bytes = slot_bytes;
  wanted.side_data_bytes = 1024;
  wanted.segment_name = "reel-fake." + name;
  return wanted;
}

}  // namespace

FakeWriter::FakeWriter(const std::string& directory, const std::string& stream,
                       std::function<void(const RawPeer&)> answer)
    : path_(directory + "/" + stream + ".sock"),
      listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)),
      answer_(std::move(answer)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 16) != 0) {
    throw std::runtime_error("cannot listen at " + path_);
  }
  thread_ = std::thread([this] { serve(); });
}

FakeWriter::~FakeWriter() {
  stop_.store(true, std::memory_order_relaxed);
  thread_.join();
  ::unlink(path_.c_str());
}

void FakeWriter::serve() {
  std::vector<RawPeer> open;  // kept: a connection that closes is another test
  while (!stop_.load(std::memory_order_relaxed)) {
    pollfd waiting{listener_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kLookMs) <= 0) continue;
    RawPeer peer{reel::UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC))};
    if (!peer.receive()) continue;
    answer_(peer);
    open.clear();
    open.push_back(std::move(peer));
  }
}

FakeStream::FakeStream(const std::string& name, std::uint32_t slots, std::uint64_t slot_bytes)
    : memory(request(name, slots, slot_bytes)),
      page(reel::segment_backend(reel::SegmentKind::memfd)
               .create("reel-fake-page", sizeof(reel::ReaderPage))) {
  (void)page->seal(reel::Seal::size);
}

void FakeStream::seal_geometry() const noexcept {
  header().geometry_checksum = reel::checksum(std::as_bytes(std::span(&header().geometry, 1)));
}

reel::SlotRecord FakeStream::record(std::uint64_t sequence) const {
  reel::SlotRecord record{};
  record.sequence = sequence;
  record.kind = static_cast<std::uint32_t>(reel::FrameKind::media);
  record.checksum_mode = static_cast<std::uint32_t>(reel::ChecksumMode::full);
  record.payload_bytes = 64;
  const std::vector<std::byte> zeros(record.payload_bytes);
  record.payload_checksum = reel::checksum(zeros, reel::ChecksumMode::full);
  return record;
}

void FakeStream::publish(std::uint32_t slot, reel::SlotRecord record) const noexcept {
  reel::SlotHeader& place = memory.view().slots[slot];
  place.record = record;
  place.header_checksum = reel::header_checksum(record);
  place.state.store(reel::slot_word(record.sequence, reel::SlotState::ready), std::memory_order_release);
  memory.view()
      .ring_at(record.sequence)
      .store(reel::ring_word(record.sequence, slot), std::memory_order_release);
  header().head.store(reel::ring_word(record.sequence, slot), std::memory_order_seq_cst);
}

reel::WelcomeMessage FakeStream::welcome() const {
  const reel::StreamGeometry& geometry = memory.view().geometry;
  reel::WelcomeMessage message;
  message.memory = geometry.memory;
  message.control_bytes = geometry.control_bytes;
  message.payload_bytes = geometry.payload_bytes;
  message.page_bytes = page->size();
  message.epoch = geometry.epoch;
  return message;
}

void FakeStream::send(const RawPeer& peer, const reel::WelcomeMessage& message) const {
  const std::array<reel::UniqueFd, 3> fds = {memory.control().share_read_only(),
                                             memory.payload().share_read_only(), page->share_writable()};
  const std::array<int, 3> numbers = {fds[0].get(), fds[1].get(), fds[2].get()};
  peer.send_as(message, numbers);
}

}  // namespace stream_test
