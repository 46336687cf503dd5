// A camera that speaks HTTP, on loopback. Its clients are served one after the other by a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <reel/base/unique_fd.hpp>

namespace capture_test {

// Sends one JPEG again and again to one client after the other, as cheap cameras do
// (multipart/x-mixed-replace); hangs up after so many.
class JpegCamera {
 public:
  JpegCamera(std::string picture, int pictures)
      : picture_(std::move(picture)),
        pictures_(pictures),
        listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 16), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~JpegCamera() {
    quit_.store(true);
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::string uri() const { return "http://127.0.0.1:" + std::to_string(port_) + "/video"; }

 private:
  void serve() {
    while (!quit_.load()) {
      const reel::UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) continue;
      say(client, "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n");
      for (int i = 0; i < pictures_ && !quit_.load(); ++i) {
        if (!say(client, "--cut\r\nContent-Type: image/jpeg\r\nContent-Length: " +
                             std::to_string(picture_.size()) + "\r\n\r\n" + picture_ + "\r\n"))
          break;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
  }
  static bool say(const reel::UniqueFd& client, const std::string& text) {
    return send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  std::string picture_;
  int pictures_;
  reel::UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> quit_{false};
  std::thread thread_;
};

}  // namespace capture_test
