#include "window.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <memory>

#include <opencv2/imgproc.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <xcb/xcb.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/unique_fd.hpp>

namespace {

struct Free {
  void operator()(void* reply) const noexcept { std::free(reply); }
};
template <typename Reply>
using Owned = std::unique_ptr<Reply, Free>;

constexpr double kScreenShare = 0.8;        // of the screen, at most, when the window opens
constexpr std::size_t kPutImageBytes = 24;  // of the request before its pixels, rounded up

}  // namespace

// Wakes the window's thread: a new picture, or the end.
class WakeUp {
 public:
  WakeUp() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_) reel::throw_errno(errno, "eventfd for the window");
  }
  void ring() const noexcept {
    const std::uint64_t one = 1;
    (void)!::write(fd_.get(), &one, sizeof one);
  }
  void take() const noexcept {
    std::uint64_t rings = 0;
    (void)!::read(fd_.get(), &rings, sizeof rings);
  }
  void end() noexcept {
    ended_.store(true, std::memory_order_relaxed);
    ring();
  }
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_relaxed); }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  reel::UniqueFd fd_;
  std::atomic<bool> ended_{false};  // no data is passed by it: relaxed
};

class Window::Connection {
 public:
  explicit Connection(const std::string& title);
  ~Connection() { xcb_disconnect(x_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] int fd() const { return xcb_get_file_descriptor(x_); }
  [[nodiscard]] bool lost() const { return xcb_connection_has_error(x_) != 0; }
  /// Takes what the server sent. False when the window was closed; `redraw` is set when its content is to be
  /// drawn again.
  [[nodiscard]] bool take_events(bool& redraw);
  void show(const cv::Mat& bgr);

 private:
  [[nodiscard]] xcb_atom_t atom(std::string_view name) const;
  void make_window(const std::string& title);
  void open_at(cv::Size picture);

  xcb_connection_t* x_;
  xcb_screen_t* screen_ = nullptr;
  xcb_window_t window_ = 0;
  xcb_gcontext_t graphics_ = 0;
  xcb_atom_t delete_window_ = 0;
  cv::Size size_;   // of the window; empty before it was mapped
  cv::Mat canvas_;  // BGRx, what is sent
};

Window::Connection::Connection(const std::string& title) {
  int screen_number = 0;
  x_ = xcb_connect(nullptr, &screen_number);
  const char* name = std::getenv("DISPLAY");
  const auto refuse = [&](const std::string& why) {
    xcb_disconnect(x_);
    throw reel::Error(reel::ErrorCode::unsupported,
                      "the X display \"" + std::string(name != nullptr ? name : "") + "\" " + why);
  };
  if (xcb_connection_has_error(x_) != 0)
    refuse("cannot be opened: set $DISPLAY, or the option `window: never`");
  auto screens = xcb_setup_roots_iterator(xcb_get_setup(x_));
  for (; screen_number > 0 && screens.rem > 1; --screen_number) xcb_screen_next(&screens);
  screen_ = screens.data;
  const xcb_setup_t* setup = xcb_get_setup(x_);
  bool four_bytes = false;
  for (auto formats = xcb_setup_pixmap_formats_iterator(setup); formats.rem > 0; xcb_format_next(&formats))
    four_bytes =
        four_bytes || (formats.data->depth == screen_->root_depth && formats.data->bits_per_pixel == 32);
  if (!four_bytes || screen_->root_depth < 24 || setup->image_byte_order != XCB_IMAGE_ORDER_LSB_FIRST ||
      std::endian::native != std::endian::little)
    refuse(
        "has no 24-bit colours in little-endian words, the only kind this window draws: set the option "
        "`window: never`");
  make_window(title);
}

xcb_atom_t Window::Connection::atom(std::string_view name) const {
  const auto cookie = xcb_intern_atom(x_, 0, static_cast<std::uint16_t>(name.size()), name.data());
  const Owned<xcb_intern_atom_reply_t> reply(xcb_intern_atom_reply(x_, cookie, nullptr));
  return reply ? reply->atom : static_cast<xcb_atom_t>(XCB_ATOM_NONE);
}

void Window::Connection::make_window(const std::string& title) {
  window_ = xcb_generate_id(x_);
  const std::uint32_t values[] = {screen_->black_pixel,
                                  XCB_EVENT_MASK_EXPOSURE | XCB_EVENT_MASK_STRUCTURE_NOTIFY};
  xcb_create_window(x_, XCB_COPY_FROM_PARENT, window_, screen_->root, 0, 0, 640, 360, 0,
                    XCB_WINDOW_CLASS_INPUT_OUTPUT, screen_->root_visual,
                    XCB_CW_BACK_PIXEL | XCB_CW_EVENT_MASK, values);
  const auto length = static_cast<std::uint32_t>(title.size());
  xcb_change_property(x_, XCB_PROP_MODE_REPLACE, window_, XCB_ATOM_WM_NAME, XCB_ATOM_STRING, 8, length,
                      title.data());
  xcb_change_property(x_, XCB_PROP_MODE_REPLACE, window_, atom("_NET_WM_NAME"), atom("UTF8_STRING"), 8,
                      length, title.data());
  delete_window_ = atom("WM_DELETE_WINDOW");
  xcb_change_property(x_, XCB_PROP_MODE_REPLACE, window_, atom("WM_PROTOCOLS"), XCB_ATOM_ATOM, 32, 1,
                      &delete_window_);
  graphics_ = xcb_generate_id(x_);
  xcb_create_gc(x_, graphics_, window_, 0, nullptr);
  xcb_flush(x_);
}

// The window appears with the first picture, in its size where the screen has room.
void Window::Connection::open_at(cv::Size picture) {
  const double scale = std::min({1.0, kScreenShare * screen_->width_in_pixels / picture.width,
                                 kScreenShare * screen_->height_in_pixels / picture.height});
  size_ = {std::max(1, cvRound(picture.width * scale)), std::max(1, cvRound(picture.height * scale))};
  const std::uint32_t sides[] = {static_cast<std::uint32_t>(size_.width),
                                 static_cast<std::uint32_t>(size_.height)};
  xcb_configure_window(x_, window_, XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT, sides);
  xcb_map_window(x_, window_);
}

bool Window::Connection::take_events(bool& redraw) {
  while (const Owned<xcb_generic_event_t> event{xcb_poll_for_event(x_)}) {
    switch (event->response_type & 0x7F) {
      case XCB_EXPOSE: redraw = true; break;
      case XCB_CONFIGURE_NOTIFY: {
        const auto* configured = reinterpret_cast<const xcb_configure_notify_event_t*>(event.get());
        if (!size_.empty()) {
          redraw = redraw || size_ != cv::Size(configured->width, configured->height);
          size_ = {configured->width, configured->height};
        }
        break;
      }
      case XCB_CLIENT_MESSAGE:
        if (reinterpret_cast<const xcb_client_message_event_t*>(event.get())->data.data32[0] ==
            delete_window_)
          return false;
        break;
      case XCB_DESTROY_NOTIFY: return false;
      default: break;
    }
  }
  return !lost();
}

void Window::Connection::show(const cv::Mat& bgr) {
  if (size_.empty()) open_at(bgr.size());
  const double scale =
      std::min(static_cast<double>(size_.width) / bgr.cols, static_cast<double>(size_.height) / bgr.rows);
  const cv::Size fitted(std::clamp(cvRound(bgr.cols * scale), 1, size_.width),
                        std::clamp(cvRound(bgr.rows * scale), 1, size_.height));
  cv::Mat scaled = bgr;
  if (fitted != bgr.size())
    cv::resize(bgr, scaled, fitted, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  canvas_.create(size_, CV_8UC4);
  if (fitted != size_) canvas_.setTo(0);
  const cv::Point corner((size_.width - fitted.width) / 2, (size_.height - fitted.height) / 2);
  cv::cvtColor(scaled, canvas_(cv::Rect(corner, fitted)), cv::COLOR_BGR2BGRA);

  // A request has a largest size: rows go in bands.
  const std::size_t row_bytes = canvas_.step;
  const std::size_t room = std::size_t{4} * xcb_get_maximum_request_length(x_) - kPutImageBytes;
  const int band = static_cast<int>(std::max<std::size_t>(1, room / row_bytes));
  for (int y = 0; y < canvas_.rows; y += band) {
    const int rows = std::min(band, canvas_.rows - y);
    xcb_put_image(x_, XCB_IMAGE_FORMAT_Z_PIXMAP, window_, graphics_, static_cast<std::uint16_t>(canvas_.cols),
                  static_cast<std::uint16_t>(rows), 0, static_cast<std::int16_t>(y), 0, screen_->root_depth,
                  static_cast<std::uint32_t>(row_bytes * static_cast<std::size_t>(rows)), canvas_.ptr(y));
  }
  xcb_flush(x_);
}

Window::Window(const std::string& title, Board& board)
    : board_(board), connection_(std::make_unique<Connection>(title)), wake_up_(std::make_shared<WakeUp>()) {
  board_.on_change([wake_up = wake_up_] { wake_up->ring(); });
  thread_ = std::thread([this] { run(); });
}

Window::~Window() {
  wake_up_->end();
  thread_.join();
}

void Window::run() noexcept {
  try {
    std::shared_ptr<const Picture> shown;
    while (true) {
      bool redraw = false;
      if (!connection_->take_events(redraw)) {
        reel::log_info(connection_->lost() ? "window: the X display went away"
                                           : "window closed; the stage goes on");
        break;
      }
      const auto stream = board_.main_stream();
      const auto picture = stream ? board_.picture(*stream) : nullptr;
      if (picture && (redraw || picture != shown)) {
        connection_->show(picture->bgr);
        shown = picture;
        continue;  // events may have come meanwhile
      }
      pollfd waits[] = {{connection_->fd(), POLLIN, 0}, {wake_up_->fd(), POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) break;
      wake_up_->take();
      if (wake_up_->ended()) break;
    }
  } catch (const std::exception& problem) {
    reel::log_warning(std::string("window closed: ") + problem.what());
  }
  connection_.reset();
}
