// The reader's side of the handshake by hand, to say what no honest reader says. Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <reel/channel/handshake.hpp>
#include <reel/channel/options.hpp>
#include <reel/ring/layout.hpp>
#include <reel/shm/segment.hpp>

namespace stream_test {

struct RawMessage {
  std::vector<std::byte> bytes;
  std::vector<reel::UniqueFd> fds;
};

class RawPeer {
 public:
  /// Connects to a stream's socket in a runtime directory; throws when nobody listens.
  RawPeer(const std::string& directory, const std::string& stream);
  /// Takes over a connected socket.
  explicit RawPeer(reel::UniqueFd socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int socket() const noexcept { return socket_.get(); }
  /// False when the other side has hung up.
  bool send(std::span<const std::byte> bytes, std::span<const int> fds = {}) const;
  template <typename Message>
  bool send_as(const Message& message, std::span<const int> fds = {}) const {
    return send(std::as_bytes(std::span(&message, 1)), fds);
  }
  /// The next message; nullopt when the other side hung up or the watchdog passed.
  [[nodiscard]] std::optional<RawMessage> receive() const;
  /// True once the other side has hung up; what it sent before is read and thrown away.
  [[nodiscard]] bool hung_up() const;

 private:
  reel::UniqueFd socket_;
};

[[nodiscard]] reel::HelloMessage hello(reel::Policy policy, std::uint32_t max_pins = reel::kDefaultPins,
                                       const std::string& name = {});

/// The text of a refusal; empty when the message is none.
[[nodiscard]] std::string refusal_of(const std::optional<RawMessage>& message);

/// A reader admitted by hand, with its page in its own hands.
struct RawReader {
  RawReader(const std::string& directory, const std::string& stream, const reel::HelloMessage& hello);

  [[nodiscard]] reel::ReaderPage& page() const noexcept {
    return *reinterpret_cast<reel::ReaderPage*>(mapped_page->data());
  }

  RawPeer peer;
  reel::WelcomeMessage welcome;
  RawMessage received;  // with control, payload and page descriptors
  std::unique_ptr<reel::SharedSegment> mapped_page;
};

}  // namespace stream_test
