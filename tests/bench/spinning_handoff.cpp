// A frame handed to and fro between two processes that spin, against one cache line that goes the same way.
// Half a round trip each.
#include "bench.hpp"
#include "process_pair.hpp"

#include <stdexcept>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace reel_bench {
namespace {

struct Variant {
  const char* name;
  reel::VideoFormat format;
  reel::ChecksumMode checksum;
  bool target;
};

const Variant kVariants[] = {
    {"hand-off, spinning, 4 kB", {reel::PixelFormat::GRAY8, 64, 64}, reel::ChecksumMode::none, true},
    {"hand-off, spinning, 12 MB", {reel::PixelFormat::NV12, 3840, 2160}, reel::ChecksumMode::none, true},
    {"hand-off, spinning, 4 kB, checksum full",
     {reel::PixelFormat::GRAY8, 64, 64},
     reel::ChecksumMode::full,
     false},
};
constexpr double kMostLineTransfers = 4;

// One end of a pair of streams. The slot of the next frame is acquired, and the last frame let go, while the
// other process has the turn, as a stage does that is ready for its next frame.
class Echo {
 public:
  Echo(const Variant& variant, const std::string& out, const std::string& in)
      : writer_(out, variant.format, {.slots = 6, .checksum = variant.checksum, .wait_for = {"echo"}}),
        reader_(in, {.name = "echo", .policy = reel::Policy::lossless}) {
    prepare();
  }

  void send() {
    if (writer_.publish(std::move(loan_), {}) != reel::WriteStatus::ok)
      throw std::runtime_error(writer_.error());
  }
  void receive() {
    spin_until([this] { return reader_.try_read(frame_) == reel::ReadStatus::frame; });
  }
  void prepare() {
    frame_.release();
    if (writer_.acquire(loan_) != reel::WriteStatus::ok) throw std::runtime_error(writer_.error());
  }

 private:
  reel::FrameWriter writer_;
  reel::FrameReader reader_;
  reel::Loan loan_;
  reel::Frame frame_;
};

std::vector<std::unique_ptr<Echo>> echoes(const std::string& out, const std::string& in) {
  std::vector<std::unique_ptr<Echo>> all;
  for (std::size_t i = 0; i < std::size(kVariants); ++i)
    all.push_back(std::make_unique<Echo>(kVariants[i], out + std::to_string(i), in + std::to_string(i)));
  return all;
}

// Nanoseconds of half a round trip.
double serve_line(std::atomic<std::uint64_t>& word, int batch) {
  const std::uint64_t start = word.load(std::memory_order_relaxed);
  const std::int64_t begin_ns = reel::monotonic_ns();
  for (int i = 0; i < batch; ++i) {
    const std::uint64_t turn = start + 2 * static_cast<std::uint64_t>(i);
    word.store(turn + 1, std::memory_order_release);
    spin_until([&] { return word.load(std::memory_order_acquire) == turn + 2; });
  }
  return static_cast<double>(reel::monotonic_ns() - begin_ns) / (2.0 * batch);
}

void return_line(std::atomic<std::uint64_t>& word, int batch, std::uint64_t& turn) {
  for (int i = 0; i < batch; ++i) {
    spin_until([&] { return word.load(std::memory_order_acquire) == turn + 1; });
    turn += 2;
    word.store(turn, std::memory_order_release);
  }
}

double serve_frames(Echo& echo, int batch) {
  const std::int64_t begin_ns = reel::monotonic_ns();
  for (int i = 0; i < batch; ++i) {
    echo.send();
    echo.prepare();
    echo.receive();
  }
  return static_cast<double>(reel::monotonic_ns() - begin_ns) / (2.0 * batch);
}

void return_frames(Echo& echo, int batch) {
  for (int i = 0; i < batch; ++i) {
    echo.receive();
    echo.send();
    echo.prepare();
  }
}

}  // namespace

void measure_spinning_handoff(const Scale& scale, Rows& rows) {
  std::vector<double> line_ns;
  std::vector<std::vector<double>> frame_ns(std::size(kVariants));
  run_pair(
      [&](SharedBoard& board) {
        const auto ends = echoes("ping", "pong");
        for (int round = -2; round < scale.rounds; ++round) {  // the first two warm up
          const double line = serve_line(board.word, scale.batch);
          if (round >= 0) line_ns.push_back(line);
          for (std::size_t i = 0; i < ends.size(); ++i) {
            const double frame = serve_frames(*ends[i], scale.batch);
            if (round >= 0) frame_ns[i].push_back(frame);
          }
        }
      },
      [&](SharedBoard& board) {
        const auto ends = echoes("pong", "ping");
        std::uint64_t turn = 0;
        for (int round = -2; round < scale.rounds; ++round) {
          return_line(board.word, scale.batch, turn);
          for (const auto& echo : ends) return_frames(*echo, scale.batch);
        }
      });
  const double floor = median(line_ns);
  for (std::size_t i = 0; i < std::size(kVariants); ++i) {
    Row row{kVariants[i].name, "ns", median(frame_ns[i]), floor};
    if (kVariants[i].target) row.most_ratio = kMostLineTransfers;
    rows.push_back(row);
  }
}

}  // namespace reel_bench
