// Stage `display`: shows its streams on a web page, always, and in a window where there is a display server.
#include "board.hpp"
#include "page_server.hpp"
#include "window.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <opencv2/core/utility.hpp>

#include <reel/base/clock.hpp>
#include <reel/base/log.hpp>
#include <reel/channel/opencv_convert.hpp>
#include <reel/stage/plugin.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kInputs{PortSpec{
    "in", reel::kTakesVideo | reel::kTakesAudio,
    "video, and sound with its level (from audio.level); the last video is the picture", true, true}};
constexpr std::array kOptions{
    OptionSpec{"window", OptionType::text, "auto",
               "a window: auto, where there is an X display; always; never", "auto|always|never"},
    OptionSpec{"page", OptionType::boolean, "true", "serve the web page"},
    OptionSpec{"bind", OptionType::text, "127.0.0.1",
               "address of the page; 0.0.0.0 shows it to the whole network"},
    OptionSpec{"port", OptionType::integer, "8090",
               "TCP port of the page; 0: any free one, written to the log", "0..65535"},
    OptionSpec{"max_fps", OptionType::number, "25", "most pictures a second on page and window", "0.1..240"},
    OptionSpec{"quality", OptionType::integer, "80", "JPEG quality of the page's pictures", "1..100"}};

class Display final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override;
  void start(reel::StageContext& context) override;
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void input_ended(reel::StageContext& context, reel::Input& input) override;
  void stop(reel::StageContext& context) override;

 private:
  void open_window(const std::string& title);
  [[nodiscard]] std::size_t position(reel::StageContext& context, const reel::Input& input) const;

  std::string window_mode_;
  bool page_ = true;
  PageOptions page_options_;
  std::int64_t picture_interval_ns_ = 0;
  std::vector<std::int64_t> shown_ns_;  // when each stream's picture was last taken
  std::unique_ptr<Board> board_;
  std::unique_ptr<PageServer> server_;
  std::unique_ptr<Window> window_;
};

void Display::configure(const reel::Options& options) {
  window_mode_ = options.text("window");
  page_ = options.boolean("page");
  page_options_.address = options.text("bind");
  page_options_.port = static_cast<std::uint16_t>(options.integer("port"));
  page_options_.jpeg_quality = static_cast<int>(options.integer("quality"));
  picture_interval_ns_ = static_cast<std::int64_t>(1e9 / options.number("max_fps"));
  if (!page_ && window_mode_ == "never")
    throw reel::Error(reel::ErrorCode::bad_config,
                      "`page: false` with `window: never` shows nothing: allow one of them");
}

void Display::start(reel::StageContext& context) {
  cv::setNumThreads(1);
  std::vector<std::string> streams;
  for (const reel::Input* input : context.inputs()) streams.push_back(input->stream());
  shown_ns_.assign(streams.size(), 0);
  board_ = std::make_unique<Board>(std::move(streams));
  if (page_) {
    server_ = std::make_unique<PageServer>(page_options_, context.stage_name(), *board_);
    reel::log_info("page: " + server_->url());
  }
  if (window_mode_ != "never") open_window("Reel: " + context.stage_name());
}

void Display::open_window(const std::string& title) {
  const char* display = std::getenv("DISPLAY");
  if (window_mode_ == "auto" && (display == nullptr || *display == '\0')) {
    reel::log_info("no window: $DISPLAY is not set");
    return;
  }
  try {
    window_ = std::make_unique<Window>(title, *board_);
  } catch (const reel::Error& error) {
    if (window_mode_ == "always" || !page_) throw;
    reel::log_warning(std::string("no window: ") + error.what());
  }
}

std::size_t Display::position(reel::StageContext& context, const reel::Input& input) const {
  const auto& inputs = context.inputs();
  return static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), &input) - inputs.begin());
}

void Display::process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  const std::int64_t now_ns = reel::monotonic_ns();
  const std::size_t index = position(context, input);
  board_->count_frame(index, frame, input.reader().stats(), now_ns);
  if (frame.format().video() == nullptr) return;
  // A tenth of slack: a stream of just max_fps loses no picture to jitter.
  if (now_ns - shown_ns_[index] < picture_interval_ns_ * 9 / 10) return;
  shown_ns_[index] = now_ns;
  board_->set_picture(index, reel::to_bgr(frame), frame);
}

void Display::input_ended(reel::StageContext& context, reel::Input& input) {
  board_->set_ended(position(context, input), input.reader().stats());
}

void Display::stop(reel::StageContext& /*context*/) {
  window_.reset();
  server_.reset();
}

}  // namespace

REEL_STAGE(Display, "display", "shows streams on a web page and in a window", kInputs, reel::no_ports,
           kOptions)
