#include "page_server.hpp"

#include "page_content.hpp"
#include "port_owner.hpp"

#include <atomic>
#include <chrono>
#include <list>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMaxHeaderBytes = 8192;
constexpr auto kRequestTime = 15s;  // for a request to arrive whole, and for an answer to be taken
constexpr auto kPictureTime = 30s;  // for one picture to be taken by a client of the live stream
constexpr auto kRepeatAfter = 2s;   // the picture is sent again when there is no new one: shows who has gone
constexpr const char* kBoundary = "reel-picture";

using Response = http::response<http::string_body>;

Response text_response(http::status status, const std::string& text) {
  Response response{status, 11};
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.body() = text + "\n";
  return response;
}

}  // namespace

class PageServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const PageOptions& options, const std::string& stage, Board& board);

  void run();
  void stop();
  /// From the stage thread: there is a new picture or end.
  void changed();
  [[nodiscard]] std::string url() const;

 private:
  // Counts a connection for as long as it lives.
  struct Place {
    explicit Place(std::size_t& count) : used(count) { ++used; }
    ~Place() { --used; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::size_t& used;
  };

  asio::awaitable<void> accept();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<bool> answer(beast::tcp_stream& stream, const http::request<http::string_body>& request);
  asio::awaitable<void> stream_pictures(beast::tcp_stream& stream, const std::string& name);
  asio::awaitable<void> wait_for_picture();
  [[nodiscard]] Response respond(const Target& target);
  [[nodiscard]] Response snapshot(const std::string& name);
  [[nodiscard]] std::optional<std::size_t> chosen(const std::string& name) const;

  std::string stage_;
  Board& board_;
  JpegCache jpegs_;
  std::size_t connections_ = 0;
  std::list<asio::steady_timer*> waiting_;  // one for each client that waits for a picture
  std::atomic<std::size_t> watchers_{0};    // clients of the live stream; a hint, relaxed
  asio::io_context io_;  // before the acceptor; destroys the coroutines, which use all above
  tcp::acceptor acceptor_;
  std::thread thread_;
};

PageServer::Impl::Impl(const PageOptions& options, const std::string& stage, Board& board)
    : stage_(stage), board_(board), jpegs_(options.jpeg_quality), acceptor_(io_) {
  boost::system::error_code failed;
  const asio::ip::address address = asio::ip::make_address(options.address, failed);
  if (failed)
    throw reel::Error(reel::ErrorCode::bad_config,
                      "bind: \"" + options.address + "\" is no IP address: 127.0.0.1, 0.0.0.0, ::1 are some");
  const tcp::endpoint endpoint(address, options.port);
  acceptor_.open(endpoint.protocol(), failed);
  if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  const std::string place = "port " + std::to_string(options.port) + " of " + options.address;
  if (failed == asio::error::address_in_use)
    throw reel::Error(reel::ErrorCode::in_use, place + " is held by " + port_owner(options.port) +
                                                   ": stop it, or set the option `port` of stage " + stage +
                                                   " to another number (0: any free one)");
  if (failed == asio::error::access_denied)
    throw reel::Error(reel::ErrorCode::no_permission,
                      place + " needs privileges: set the option `port` to 1024 or more");
  if (failed) throw reel::Error(reel::ErrorCode::io, "listening on " + place + ": " + failed.message());
}

std::string PageServer::Impl::url() const {
  boost::system::error_code failed;
  const tcp::endpoint endpoint = acceptor_.local_endpoint(failed);
  const std::string host = endpoint.address().is_v6() ? "[" + endpoint.address().to_string() + "]"
                                                      : endpoint.address().to_string();
  return "http://" + host + ":" + std::to_string(endpoint.port()) + "/";
}

void PageServer::Impl::run() {
  asio::co_spawn(io_, accept(), asio::detached);
  thread_ = std::thread([this] {
    while (!io_.stopped()) {
      try {
        io_.run();
      } catch (const std::exception& problem) {  // of one connection; the others go on
        reel::log_warning(std::string("page: ") + problem.what());
      }
    }
  });
}

void PageServer::Impl::stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

void PageServer::Impl::changed() {
  if (watchers_.load(std::memory_order_relaxed) == 0) return;
  asio::post(io_, [this] {
    for (asio::steady_timer* timer : waiting_) timer->cancel();
  });
}

asio::awaitable<void> PageServer::Impl::accept() {
  while (true) {
    boost::system::error_code failed;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (failed) {  // no descriptors left, say: those open will close
      asio::steady_timer pause(io_, 100ms);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
      continue;
    }
    if (connections_ >= kMaxConnections) {
      static constexpr std::string_view kFull =
          "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 22\r\n\r\ntoo many "
          "connections.\n";
      socket.non_blocking(true, failed);
      socket.write_some(asio::buffer(kFull), failed);
      socket.shutdown(tcp::socket::shutdown_send, failed);
      continue;
    }
    asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> PageServer::Impl::serve(tcp::socket socket) {
  const Place place(connections_);
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer(kMaxHeaderBytes + 1024);
  boost::system::error_code failed;
  bool more = true;
  while (more) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMaxHeaderBytes);
    parser.body_limit(1024);  // none of the requests has one
    stream.expires_after(kRequestTime);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
    if (failed == http::error::end_of_stream || failed == beast::error::timeout) break;
    if (failed) {
      Response refusal = text_response(http::status::bad_request,
                                       "not a request this page understands: " + failed.message());
      refusal.prepare_payload();
      stream.expires_after(kRequestTime);
      co_await http::async_write(stream, refusal, asio::redirect_error(asio::use_awaitable, failed));
      break;
    }
    more = co_await answer(stream, parser.get());
  }
  stream.socket().shutdown(tcp::socket::shutdown_send, failed);
}

// Returns whether the connection goes on.
asio::awaitable<bool> PageServer::Impl::answer(beast::tcp_stream& stream,
                                               const http::request<http::string_body>& request) {
  const auto host = request[http::field::host];
  const Target target = parse_target({request.target().data(), request.target().size()});
  const bool head = request.method() == http::verb::head;
  Response response;
  if (!trusted_host({host.data(), host.size()})) {
    response = text_response(
        http::status::forbidden,
        "This page answers to its address, localhost or this machine's name, not to the host \"" +
            std::string(host) + "\".");
  } else if (request.method() != http::verb::get && !head) {
    response = text_response(http::status::method_not_allowed, "Only GET and HEAD.");
    response.set(http::field::allow, "GET, HEAD");
  } else if (target.path == "/stream.mjpg" && !head &&
             (target.stream.empty() || board_.find(target.stream))) {
    co_await stream_pictures(stream, target.stream);
    co_return false;
  } else {
    response = respond(target);
  }
  response.version(request.version());
  response.set(http::field::server, "reel");
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.keep_alive(request.keep_alive());
  response.prepare_payload();
  if (head) response.body().clear();
  boost::system::error_code failed;
  stream.expires_after(kRequestTime);
  co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, failed));
  co_return !failed && response.keep_alive();
}

Response PageServer::Impl::respond(const Target& target) {
  if (target.path == "/") {
    Response page{http::status::ok, 11};
    page.set(http::field::content_type, "text/html; charset=utf-8");
    page.set("Content-Security-Policy",
             "default-src 'none'; img-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; script-src "
             "'unsafe-inline'");
    page.body() = std::string(kPageHtml);
    return page;
  }
  if (target.path == "/status.json") {
    Response status{http::status::ok, 11};
    status.set(http::field::content_type, "application/json");
    status.body() = status_json(stage_, board_, reel::monotonic_ns());
    return status;
  }
  if (target.path == "/snapshot.jpg") return snapshot(target.stream);
  if (target.path == "/stream.mjpg")
    return text_response(http::status::not_found, "No stream \"" + target.stream + "\" here.");
  return text_response(http::status::not_found, "Here are /, /stream.mjpg, /snapshot.jpg and /status.json.");
}

Response PageServer::Impl::snapshot(const std::string& name) {
  if (!name.empty() && !board_.find(name))
    return text_response(http::status::not_found, "No stream \"" + name + "\" here.");
  const auto stream = chosen(name);
  const JpegCache::Jpeg jpeg = stream ? jpegs_.encode(*stream, board_.picture(*stream)) : nullptr;
  if (!jpeg) return text_response(http::status::service_unavailable, "No picture yet.");
  Response response{http::status::ok, 11};
  response.set(http::field::content_type, "image/jpeg");
  response.body().assign(jpeg->begin(), jpeg->end());
  return response;
}

std::optional<std::size_t> PageServer::Impl::chosen(const std::string& name) const {
  return name.empty() ? board_.main_stream() : board_.find(name);
}

asio::awaitable<void> PageServer::Impl::stream_pictures(beast::tcp_stream& stream, const std::string& name) {
  struct Watching {
    explicit Watching(std::atomic<std::size_t>& count) : watchers(count) {
      watchers.fetch_add(1, std::memory_order_relaxed);
    }
    ~Watching() { watchers.fetch_sub(1, std::memory_order_relaxed); }
    std::atomic<std::size_t>& watchers;
  } const watching(watchers_);
  const auto write = [&](auto buffers) {
    stream.expires_after(kPictureTime);
    return asio::async_write(stream, buffers, asio::use_awaitable);
  };
  // Each boundary is sent right behind its picture: browsers show a picture when they see its end.
  std::string head =
      std::string("HTTP/1.1 200 OK\r\nServer: reel\r\nCache-Control: no-store\r\nConnection: close\r\n") +
      "Content-Type: multipart/x-mixed-replace; boundary=" + kBoundary + "\r\n\r\n--" + kBoundary + "\r\n";
  const std::string tail = std::string("\r\n--") + kBoundary + "\r\n";
  co_await write(asio::const_buffer(asio::buffer(head)));
  while (true) {
    const auto index = chosen(name);
    const auto picture = index ? board_.picture(*index) : nullptr;
    const JpegCache::Jpeg jpeg = picture ? jpegs_.encode(*index, picture) : nullptr;
    if (jpeg) {
      head = "Content-Type: image/jpeg\r\nContent-Length: " + std::to_string(jpeg->size()) + "\r\n\r\n";
      co_await write(
          std::array<asio::const_buffer, 3>{asio::buffer(head), asio::buffer(*jpeg), asio::buffer(tail)});
      if (board_.picture(*index) != picture) continue;  // one came during the write
    }
    stream.expires_never();
    co_await wait_for_picture();
  }
}

asio::awaitable<void> PageServer::Impl::wait_for_picture() {
  asio::steady_timer timer(io_, kRepeatAfter);
  waiting_.push_back(&timer);
  struct Leave {
    std::list<asio::steady_timer*>& waiting;
    std::list<asio::steady_timer*>::iterator place;
    ~Leave() { waiting.erase(place); }
  } const leave{waiting_, std::prev(waiting_.end())};
  boost::system::error_code rung;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, rung));
}

PageServer::PageServer(const PageOptions& options, const std::string& stage, Board& board)
    : impl_(std::make_shared<Impl>(options, stage, board)) {
  board.on_change([impl = std::weak_ptr<Impl>(impl_)] {
    if (const auto alive = impl.lock()) alive->changed();
  });
  impl_->run();
}

PageServer::~PageServer() {
  impl_->stop();
}

std::string PageServer::url() const {
  return impl_->url();
}
