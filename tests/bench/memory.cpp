// What a stream costs beyond its slots: the memory that its segments name, and how much its writer's process
// grows by in all.
#include "bench.hpp"
#include "process_pair.hpp"

#include <fstream>
#include <stdexcept>
#include <string>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/channel/observer.hpp>

namespace reel_bench {
namespace {

constexpr std::uint32_t kSlots = 8;
constexpr double kMegabyte = 1024 * 1024;
constexpr double kMostBeyondSlots = 2;  // MB

// Without the pages of programs and libraries, which are files' and shared by all who run them.
double resident_megabytes() {
  std::ifstream status("/proc/self/status");
  double kilobytes = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:") || line.starts_with("RssShmem:"))
      kilobytes += std::stod(line.substr(line.find(':') + 1));
  }
  if (kilobytes == 0) throw std::runtime_error("/proc/self/status does not tell the resident memory");
  return kilobytes / 1024;
}

// In a process of its own, so that nothing was there before.
void write_frames(SharedBoard& board) {
  const double before = resident_megabytes();
  reel::FrameWriter writer("memory", reel::VideoFormat{reel::PixelFormat::RGB, 1920, 1080},
                           {.slots = kSlots, .wait_for = {"watch"}});
  for (std::uint32_t i = 0; i < 2 * kSlots; ++i) {
    reel::Loan loan;
    if (writer.acquire(loan) != reel::WriteStatus::ok ||
        writer.publish(std::move(loan), {}) != reel::WriteStatus::ok)
      throw std::runtime_error(writer.error());
  }
  board.figure.store(resident_megabytes() - before, std::memory_order_relaxed);
  writer.end();
  spin_until([&] { return board.done.load(std::memory_order_acquire) != 0; });
}

}  // namespace

void measure_memory(const Scale&, Rows& rows) {
  run_pair(
      [&](SharedBoard& board) {
        reel::FrameReader reader("memory", {.name = "watch", .policy = reel::Policy::lossless});
        reel::Frame frame;
        reel::ReadStatus status = reel::ReadStatus::empty;
        while ((status = reader.read(frame)) == reel::ReadStatus::frame) {
        }
        if (status != reel::ReadStatus::ended)
          throw std::runtime_error("a frame did not arrive: " + reader.error());
        const reel::StreamStatus stream = reel::StreamObserver("memory").status();
        board.done.store(1, std::memory_order_release);
        const double slots = static_cast<double>(stream.slots * stream.slot_bytes) / kMegabyte;
        rows.push_back({"memory of a stream, 8 x 6 MB",
                        "MB",
                        static_cast<double>(stream.memory_bytes) / kMegabyte,
                        slots,
                        {},
                        kMostBeyondSlots});
        rows.push_back({"growth of its writer's process",
                        "MB",
                        board.figure.load(std::memory_order_relaxed),
                        slots,
                        {},
                        kMostBeyondSlots});
      },
      write_frames);
}

}  // namespace reel_bench
