// The C++ end of a stream whose other end is a test in Python.
//
//   peer read STREAM POLICY
// reads to the end; a line of "sequence pts bytes checksum detections" for each frame
//
//   peer write STREAM FRAMES CAPS [READER...]
// writes known frames, the first once a line of input and those readers have come, and ends after another
// line
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <reel/base/checksum.hpp>
#include <reel/base/error.hpp>
#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace {

constexpr std::int64_t kFrame_ns = 40'000'000;

int read(const std::string& stream, const std::string& policy) {
  reel::FrameReader reader(stream,
                           {.name = "peer", .policy = reel::policy_from(policy).value(), .reconnect = true});
  reel::Frame frame;
  reel::ReadStatus status;
  while ((status = reader.read(frame)) == reel::ReadStatus::frame) {
    std::size_t detections = 0;
    for (const reel::SideDataView::Entry& entry : frame.side_data())
      detections += reel::SideDataView::detections(entry).size();
    std::printf("%llu %lld %zu %016llx %zu\n", static_cast<unsigned long long>(frame.sequence()),
                static_cast<long long>(frame.info().pts_ns), frame.data().size(),
                static_cast<unsigned long long>(reel::checksum(frame.data())), detections);
  }
  std::printf("%s\n", std::string(reel::to_string(status)).c_str());
  return status == reel::ReadStatus::ended ? 0 : 1;
}

void wait_for_line() {
  for (int read = std::getchar(); read != '\n' && read != EOF;) read = std::getchar();
}

int write(const std::string& stream, int frames, const std::string& caps, std::vector<std::string> readers) {
  const reel::Format format = reel::Format::from_caps(caps);
  reel::FrameWriter writer(stream, format, {.grow_for_readers = true, .wait_for = std::move(readers)});
  std::printf("up\n");
  std::fflush(stdout);
  wait_for_line();
  for (int i = 0; i < frames; ++i) {
    reel::Loan loan;
    if (writer.acquire(loan, format.frame_bytes() == 0 ? 4096 : 0) != reel::WriteStatus::ok) return 1;
    for (std::size_t at = 0; std::byte & byte : loan.data())
      byte = static_cast<std::byte>((at++ + static_cast<std::size_t>(i)) % 251);
    reel::Detection face;
    face.set_label("face");
    face.score = 0.5F;
    face.x = static_cast<float>(i);
    face.width = face.height = 8;
    if (!loan.side_data().add_detections("peer", {&face, 1}) ||
        !loan.side_data().add_json("peer", "{\"n\":[1,2]}"))
      return 1;
    if (writer.publish(std::move(loan), {.pts_ns = i * kFrame_ns}) != reel::WriteStatus::ok) return 1;
  }
  std::printf("written\n");
  std::fflush(stdout);
  wait_for_line();
  writer.end();
  return writer.drain() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) try {
  const std::string what = count > 1 ? arguments[1] : "";
  if (what == "read" && count == 4) return read(arguments[2], arguments[3]);
  if (what == "write" && count >= 5)
    return write(arguments[2], std::atoi(arguments[3]), arguments[4], {arguments + 5, arguments + count});
  std::fprintf(stderr, "usage: peer read STREAM POLICY | peer write STREAM FRAMES CAPS [READER...]\n");
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "peer: %s\n", error.what());
  return 1;
}
