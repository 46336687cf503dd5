// Writes one frame and reads it, with nothing but what was installed.
#include <cstdio>
#include <span>
#include <string_view>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

int main() {
  reel::FrameWriter writer("hello", reel::Format{});
  reel::FrameReader reader("hello");
  const std::string_view text = "hello";
  if (writer.write(std::as_bytes(std::span(text))) != reel::WriteStatus::ok) return 1;
  reel::Frame frame;
  if (reader.read(frame, 10'000) != reel::ReadStatus::frame) return 1;
  std::printf("frame %llu: %.*s\n", static_cast<unsigned long long>(frame.sequence()),
              static_cast<int>(frame.data().size()), reinterpret_cast<const char*>(frame.data().data()));
  writer.end();
}
