// A camera: an RTSP server in a process of its own, on loopback, with a test picture and, if asked, a tone.
// Single-thread.
#pragma once

#include <csignal>
#include <optional>
#include <string>

#include <reel_test/child_process.hpp>

namespace capture_test {

struct CameraSetup {
  int width = 160, height = 120;
  bool sound = false;
  std::string user, password;  // none: it lets everybody in
  std::string codec = "h264";  // or "h265", "jpeg"
  int key_frames = 12;         // one of so many, of h264 and h265
  bool feedback = false;       // h264: it gives a key frame to whoever asks (RFC 4585, AVPF)
};

class RtspCamera {
 public:
  RtspCamera();  // of the default setup, running
  explicit RtspCamera(const CameraSetup& setup);

  /// Without user and password.
  [[nodiscard]] std::string uri() const;
  /// With what stands before the host, such as "user:password@".
  [[nodiscard]] std::string uri(const std::string& who) const;
  /// Kills it: connections break, nobody listens.
  void stop() { process_.reset(); }
  /// On the port that it had before.
  void start();
  void start(const CameraSetup& setup);
  /// It goes on being connected to, but says nothing.
  void hang() { process_->signal(SIGSTOP); }
  void go_on() { process_->signal(SIGCONT); }

 private:
  CameraSetup setup_;
  std::string port_ = "0";
  std::optional<reel_test::ChildProcess> process_;
};

}  // namespace capture_test
