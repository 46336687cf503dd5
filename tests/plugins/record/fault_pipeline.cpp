#include "fault_pipeline.hpp"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>
#include <thread>

#include <reel/base/clock.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel_test/child_process.hpp>

namespace reel_test {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBack_ns = 5'000'000'000;
constexpr std::int64_t kBlock_ns = 20'000'000;

class Camera {
 public:
  Camera(std::string stream, const std::string& reader) : stream_(std::move(stream)) {
    options_.wait_for = {reader};
    options_.start_timeout_ms = 60'000;
    open();
  }
  ~Camera() {
    writer_->end();
    (void)writer_->drain();
  }
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string order, what;
    std::int64_t number = 0;
    words >> order;
    if (order == "video") {
      reel::VideoFormat video{reel::PixelFormat::I420, 0, 0, {0, 1}};
      words >> video.width >> video.height >> video.fps.numerator;
      step_ns_ = 1'000'000'000 / video.fps.numerator;
      writer_->set_format(format_ = video);
    } else if (order == "audio") {
      reel::AudioFormat audio{reel::SampleFormat::S16LE, 0, 0};
      words >> audio.rate_hz >> audio.channels;
      step_ns_ = kBlock_ns;
      bytes_ = audio.rate_hz / 50 * reel::sample_frame_bytes(audio);
      writer_->set_format(format_ = audio);
    } else if (order == "times") {
      words >> times_;
    } else if (order == "frames") {
      for (words >> number; number > 0; --number) publish();
    } else if (order == "again") {
      writer_.reset();
      open();
      writer_->set_format(format_);
    } else if (order == "until") {
      words >> what;
      while (!fs::exists(what)) publish();
    } else if (order == "wait") {
      words >> what;
      while (!fs::exists(what)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } else if (order == "connect") {
      for (words >> number; number > 0; --number) {
        obey("again");
        publish();
      }
    } else if (order == "tell") {
      words >> what;
      say(what);
    } else {
      throw std::runtime_error("no such order: " + line);
    }
  }

 private:
  void open() { writer_ = std::make_unique<reel::FrameWriter>(stream_, options_); }

  void publish() {
    reel::FrameInfo info;
    (void)writer_->wait_for_readers();
    if (!begun_ns_) begun_ns_ = reel::monotonic_ns();
    due_ns_ = std::max(due_ns_ + step_ns_, reel::monotonic_ns() - *begun_ns_);
    std::this_thread::sleep_for(std::chrono::nanoseconds(*begun_ns_ + due_ns_ - reel::monotonic_ns()));
    info.capture_ns = *begun_ns_ + due_ns_;
    info.flags |= reel::kFromLive;
    info.pts_ns = due_ns_;
    info.duration_ns = step_ns_;
    info.offset = number_;
    if (times_ == "back" && number_ % 10 == 9) info.pts_ns -= kBack_ns;
    if (times_ == "repeat" && number_ % 2 == 1) info.pts_ns = last_ns_;
    if (times_ == "none" && number_ % 3 == 2) info.pts_ns = info.duration_ns = reel::kNoTime;
    last_ns_ = info.pts_ns;
    reel::Loan loan;
    if (writer_->acquire(loan, bytes_) != reel::WriteStatus::ok) throw std::runtime_error(writer_->error());
    std::memset(loan.data().data(), static_cast<int>(number_ * 5 % 200), loan.data().size());
    if (writer_->publish(std::move(loan), info) != reel::WriteStatus::ok)
      throw std::runtime_error(writer_->error());
    ++number_;
  }

  std::string stream_;
  reel::WriterOptions options_;
  std::unique_ptr<reel::FrameWriter> writer_;
  reel::Format format_;
  std::size_t bytes_ = 0;  // 0: the format's
  std::string times_ = "good";
  std::int64_t step_ns_ = 0, due_ns_ = 0, last_ns_ = 0;
  std::optional<std::int64_t> begun_ns_;
  std::uint64_t number_ = 0;
};

const Role camera_role("camera", [](const std::vector<std::string>& words) {
  Camera camera(words.at(0), words.at(1));
  for (std::size_t i = 2; i < words.size(); ++i) camera.obey(words[i]);
  return 0;
});

}  // namespace

std::string camera_stage(const std::string& name, const std::string& reader,
                         const std::vector<std::string>& words) {
  std::string stage = "  " + name + ":\n    use: exec\n    out: " + name +
                      "\n    options:\n      command: [" +
                      in_quotes(fs::read_symlink("/proc/self/exe").string()) + ", --role, camera, " + name +
                      ", " + in_quotes(reader);
  for (const std::string& word : words) stage += ", " + in_quotes(word);
  return stage + "]\n";
}

ClockAndDisk::ClockAndDisk() {
  step_clock(0);
  slow_disk(0);
}

std::string ClockAndDisk::environment(const std::string& more) const {
  return "{LD_PRELOAD: " + in_quotes(REEL_FAULT_SHIM) +
         ", REEL_TEST_CLOCK: " + in_quotes(scratch_.file("clock")) +
         ", REEL_TEST_DISK: " + in_quotes(scratch_.file("disk")) + more + "}";
}

void ClockAndDisk::step_clock(std::int64_t seconds) const {
  fs::rename(scratch_.write("clock.new", std::to_string(seconds)), scratch_.file("clock"));
}

void ClockAndDisk::slow_disk(std::int64_t bytes_per_second) const {
  fs::rename(scratch_.write("disk.new", std::to_string(bytes_per_second)), scratch_.file("disk"));
}

}  // namespace reel_test
