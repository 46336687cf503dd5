// One connection between a running pipeline and a tool: lines of text, both ways, and descriptors that the
// pipeline hands out with some of them. Single-thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/types.h>

#include <reel/base/unique_fd.hpp>

namespace reel {

class ControlLink {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{4} << 20;
  static constexpr std::size_t kAtOnce = std::size_t{256} << 10;  // bytes that one receive() takes
  static constexpr std::size_t kMostWaiting = std::size_t{8}
                                              << 20;  // bytes that the other side has not taken

  static constexpr std::size_t kMostDescriptors = 512;  // that came and were not taken

  /// Which side this is: a tool's takes descriptors.
  enum class Side { pipeline, tool };
  ControlLink(UniqueFd socket, Side side) : socket_(std::move(socket)), side_(side) {}

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  /// Whether bytes wait until the other side takes them.
  [[nodiscard]] bool wants_to_send() const noexcept { return sent_ < out_.size(); }

  /// Queues the line, and the descriptor to go with it, if any. What does not fit into kMostWaiting ends the
  /// connection.
  void send(std::string_view line, UniqueFd descriptor = {});
  /// Sends what it can. False once the other side is gone.
  [[nodiscard]] bool flush();
  /// Takes what has come, as far as kAtOnce. False once the other side is gone, or sent a line without end.
  [[nodiscard]] bool receive();
  /// A line that was received and not taken by next() yet.
  [[nodiscard]] bool has_line() const noexcept { return line_end_ != std::string::npos; }
  [[nodiscard]] std::optional<std::string> next();
  /// The descriptor that came with the line being handed on, or an earlier one: in their order, each once.
  /// Empty when there is none.
  [[nodiscard]] UniqueFd take_descriptor();

 private:
  struct Enclosed {
    std::size_t at;  // it goes with this byte of out_
    UniqueFd descriptor;
  };

  [[nodiscard]] ssize_t send_some();
  [[nodiscard]] ssize_t receive_some(std::span<char> buffer);
  [[nodiscard]] bool keep_descriptors(msghdr& message);

  UniqueFd socket_;
  Side side_;
  std::string in_, out_;
  std::size_t taken_ = 0;                     // of in_
  std::size_t line_end_ = std::string::npos;  // in in_, of the line that is next
  std::size_t sent_ = 0;                      // of out_
  std::deque<Enclosed> enclosed_;             // to be sent
  std::deque<UniqueFd> delivered_;            // that came
  bool broken_ = false;
};

/// Listens for tools of the pipeline; the file is for its own user alone. Throws Error{in_use} naming the
/// process where a pipeline of that name runs in the directory.
[[nodiscard]] UniqueFd listen_for_control(const std::string& directory, const std::string& pipeline);
/// nullopt with errno where it does not run.
[[nodiscard]] std::optional<UniqueFd> connect_for_control(const std::string& directory,
                                                          const std::string& pipeline);
/// Takes the file away.
void forget_control(const std::string& directory, const std::string& pipeline) noexcept;
/// Takes such files away whose pipelines are dead; returns their names.
std::vector<std::string> sweep_control(const std::string& directory);
/// Of which pipelines there is such a file in the directory, alive or not.
[[nodiscard]] std::vector<std::string> control_files(const std::string& directory);

struct ControlPeer {
  pid_t pid = 0;
  uid_t uid = 0;
};
[[nodiscard]] std::optional<ControlPeer> control_peer(int socket) noexcept;

}  // namespace reel
